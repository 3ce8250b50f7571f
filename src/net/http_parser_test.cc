#include "net/http_parser.h"

#include <gtest/gtest.h>

namespace virga::net {
namespace {

// The status a whole head is refused with; 0 when it is taken.
int refusal(std::string_view text, const HttpLimits& limits = {}) {
  size_t scanned = 0;
  const HeadScan scan = scan_request_head(text, scanned, limits);
  if (scan.refusal) return scan.refusal.status;
  EXPECT_EQ(scan.head_bytes, text.size()) << text;
  RequestHead head;
  return parse_request_head(text, limits, head).status;
}

int with_header(std::string_view lines) {
  return refusal("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n");
}
int with_line(std::string_view line) {
  return refusal(std::string(line) + "\r\nHost: h\r\n\r\n");
}

TEST(RequestLine, takes_the_forms_of_targets) {
  const std::string text = "GET http://a.example:81/p/q?x=1 HTTP/1.1\r\nHost: other\r\n\r\n";
  RequestHead head;
  ASSERT_FALSE(parse_request_head(text, {}, head));
  EXPECT_EQ(head.authority, "a.example:81");
  EXPECT_EQ(head.path, "/p/q");
  EXPECT_EQ(head.query, "x=1");
  const std::string bare = "GET http://a?x HTTP/1.1\r\nHost: other\r\n\r\n";
  ASSERT_FALSE(parse_request_head(bare, {}, head));
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "x");
  EXPECT_EQ(with_line("OPTIONS * HTTP/1.1"), 0);
  EXPECT_EQ(with_line("GET * HTTP/1.1"), 400);
}

TEST(RequestLine, refuses_with_the_right_status) {
  EXPECT_EQ(with_line("GET  / HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET / HTTP/1.1 "), 400);
  EXPECT_EQ(with_line("GET /a b HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET /\x01 HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET /\xc3\xbc HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET /a#b HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET a HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET ftp://h/ HTTP/1.1"), 400);
  EXPECT_EQ(with_line("G(T / HTTP/1.1"), 400);
  EXPECT_EQ(with_line("GET / http/1.1"), 400);
  EXPECT_EQ(with_line("GET /"), 400);
  EXPECT_EQ(with_line("GET / HTTP/1.2"), 505);
  EXPECT_EQ(with_line("PRI * HTTP/2.0"), 505);
  EXPECT_EQ(with_line("CONNECT h:1 HTTP/1.1"), 501);
  EXPECT_EQ(with_line(std::string(33, 'A') + " / HTTP/1.1"), 501);
  EXPECT_EQ(with_line("GET /" + std::string(16 * 1024, 'a') + " HTTP/1.1"), 414);
}

TEST(Headers, refuses_what_smuggling_needs) {
  EXPECT_EQ(with_header("Content-Length: 1\r\nContent-Length: 1\r\n"), 400);
  EXPECT_EQ(with_header("Content-Length: 1, 1\r\n"), 400);
  EXPECT_EQ(with_header("Content-Length: +1\r\n"), 400);
  EXPECT_EQ(with_header("Content-Length: 0x1\r\n"), 400);
  EXPECT_EQ(with_header("Content-Length:\r\n"), 400);
  EXPECT_EQ(with_header("Content-Length: 9999999999999999999\r\n"), 400);
  EXPECT_EQ(with_header("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400);
  EXPECT_EQ(with_header("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(with_header("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(with_header("Transfer-Encoding: identity\r\n"), 501);
  EXPECT_EQ(with_header("Transfer-Encoding: chunked, gzip\r\n"), 501);
  EXPECT_EQ(with_header("Transfer-Encoding: xchunked\r\n"), 501);
  EXPECT_EQ(with_header("Transfer-Encoding : chunked\r\n"), 400);
  EXPECT_EQ(with_header(" folded\r\n"), 400);
  EXPECT_EQ(with_header("A: b\r\n\tfolded\r\n"), 400);
  EXPECT_EQ(with_header("A b: c\r\n"), 400);
  EXPECT_EQ(with_header(": c\r\n"), 400);
  EXPECT_EQ(with_header("nocolon\r\n"), 400);
  EXPECT_EQ(with_header(std::string_view("A: b\0c\r\n", 8)), 400);
  EXPECT_EQ(with_header("A: b\rc\r\n"), 400);
  EXPECT_EQ(with_header("A: b\x7f\r\n"), 400);
  EXPECT_EQ(with_header("A: b\n"), 400);
  EXPECT_EQ(with_header("Host: again\r\n"), 400);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
}

TEST(Headers, takes_what_senders_may_send) {
  EXPECT_EQ(with_header("Content-Length: 007\r\n"), 0);
  EXPECT_EQ(with_header("Transfer-Encoding: ChunKed\r\n"), 0);
  EXPECT_EQ(with_header("A:\r\nB: \t x y \t\r\nC: \xff\r\n"), 0);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 0);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: [::1]:4566\r\n\r\n"), 0);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(Headers, are_limited) {
  const HttpLimits limits{.target_bytes_max = 100, .head_bytes_max = 300, .header_count_max = 3};
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\n\r\n", limits), 0);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits), 431);
  EXPECT_EQ(
      refusal("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(300, 'a') + "\r\n\r\n", limits),
      431);
}

TEST(Connection, lives_as_the_version_and_the_header_say) {
  const auto keeps = [](std::string text) {
    RequestHead head;
    EXPECT_FALSE(parse_request_head(text, {}, head));
    return head.keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"));
}

// What the chunked coding holds; "refused" when it is malformed, "more" when it has no end.
std::string chunks(std::string_view text) {
  ChunkedDecoder decoder;
  std::string data;
  decoder.feed(text, data, text.size());
  return decoder.refusal() ? "refused" : decoder.done() ? data : "more";
}

TEST(Chunks, are_taken_apart_strictly) {
  EXPECT_EQ(chunks("1\r\na\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n"), "a0123456789");
  EXPECT_EQ(chunks("0\r\n\r\n"), "");
  EXPECT_EQ(chunks("1\r\na\r\n"), "more");
  for (const char* bad :
       {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\na\r\n", "1\na\r\n",
        "1\r\nab\r\n", "1\r\na\n", "ffffffffffffffff\r\n", "1;\x01\r\n", "0\r\nA\r\n\r\n",
        "0\r\n a: b\r\n\r\n", "0\r\na: b\n\r\n", "0\r\nContent-Length: 1\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: x\r\n\r\n", "1\rx\r\n"}) {
    EXPECT_EQ(chunks(bad), "refused") << bad;
  }
  EXPECT_EQ(chunks("1;" + std::string(300, 'x') + "\r\na\r\n"), "refused");
  EXPECT_EQ(chunks("0\r\nA: " + std::string(9000, 'x') + "\r\n\r\n"), "refused");
  std::string many = "0\r\n";
  for (int i = 0; i < 40; ++i) many += "A: b\r\n";
  EXPECT_EQ(chunks(many + "\r\n"), "refused");
}

TEST(HeaderBlock, adds_sets_finds_and_removes) {
  HeaderBlock block;
  block.add("A", "1");
  block.add("B", "2");
  block.add("a", "3");
  EXPECT_EQ(block.find("a"), "1");
  block.set("A", "4: x");
  EXPECT_EQ(block.text(), "B: 2\r\nA: 4: x\r\n");
  EXPECT_EQ(block.lines().size(), 2u);
  EXPECT_FALSE(block.find("C"));
  block.remove("b");
  EXPECT_EQ(block.text(), "A: 4: x\r\n");
  block.add("X:Y", "a\nb");
  EXPECT_EQ(block.find("X Y"), "a b");
}

}  // namespace
}  // namespace virga::net
