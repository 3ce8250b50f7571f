#include "aws/chunked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/loop.h"
#include "base/strings.h"
#include "net/gzip.h"

namespace virga::sigv4 {
namespace {

using Kind = PayloadDeclaration::Kind;
using testing::HasSubstr;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

// The S3 API Reference's example: 66,560 bytes of 'a' in chunks of 64 KiB and 1 KiB.
ChunkSigning documented_signing(std::string_view seed) {
  return {.key = signing_key(kSecret, "20130524", "us-east-1", "s3"),
          .amz_date = "20130524T000000Z",
          .scope = "20130524/us-east-1/s3/aws4_request",
          .seed = std::string(seed)};
}
constexpr std::string_view kSeed =
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
constexpr std::string_view kTrailerSeed =
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
const std::vector<std::string> kChunks{std::string(65536, 'a'), std::string(1024, 'a')};
const std::vector<std::pair<std::string, std::string>> kTrailers{
    {"x-amz-checksum-crc32c", "sOO8/Q=="}};

TEST(AwsChunked, equals_the_documented_example) {
  const std::string text =
      encode_chunked(kChunks, Kind::streaming_signed, documented_signing(kSeed), {});
  EXPECT_EQ(text.size(), 66824u);
  EXPECT_THAT(text.substr(0, 90),
              HasSubstr("10000;chunk-signature="
                        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"));
  EXPECT_THAT(text,
              HasSubstr("400;chunk-signature="
                        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"));
  EXPECT_THAT(text,
              HasSubstr("0;chunk-signature="
                        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n"));
}

TEST(AwsChunked, equals_the_documented_trailer_example) {
  const std::string text = encode_chunked(kChunks, Kind::streaming_signed_trailer,
                                          documented_signing(kTrailerSeed), kTrailers);
  EXPECT_THAT(text,
              HasSubstr("10000;chunk-signature="
                        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"));
  EXPECT_THAT(text,
              HasSubstr("x-amz-trailer-signature:"
                        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"));
}

struct Decoded {
  std::string data;
  bool done;
  std::string code;
};

Decoded decode(std::string_view text, AwsChunkedDecoder::Options options, size_t step) {
  AwsChunkedDecoder decoder(std::move(options));
  Decoded out{};
  while (!text.empty() && !decoder.error() && !decoder.done()) {
    const size_t taken = decoder.feed(text.substr(0, step), out.data, step);
    text.remove_prefix(taken);
  }
  out.done = decoder.done() && text.empty();
  if (decoder.error()) out.code = decoder.error()->code;
  return out;
}

TEST(AwsChunked, decodes_at_any_cut) {
  const auto signing = documented_signing(kTrailerSeed);
  const std::string text =
      encode_chunked({"hello ", "world", "!"}, Kind::streaming_signed_trailer, signing, kTrailers);
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, size_t{64}, size_t{100000}}) {
    const Decoded got = decode(text,
                               {.kind = Kind::streaming_signed_trailer,
                                .signing = signing,
                                .decoded_length = 12,
                                .expected_trailers = {"x-amz-checksum-crc32c"}},
                               step);
    EXPECT_EQ(got.data, "hello world!");
    EXPECT_TRUE(got.done) << got.code;
  }
}

TEST(AwsChunked, any_changed_byte_is_refused) {
  const auto signing = documented_signing(kTrailerSeed);
  const std::string text =
      encode_chunked({"hello ", "world"}, Kind::streaming_signed_trailer, signing, kTrailers);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 1;
    const Decoded got = decode(
        changed, {.kind = Kind::streaming_signed_trailer, .signing = signing, .decoded_length = 11},
        1000);
    EXPECT_FALSE(got.done) << i;
  }
}

TEST(AwsChunked, unsigned_chunks_carry_trailers) {
  const AwsChunkedDecoder::Options options{.decoded_length = 3,
                                           .expected_trailers = {"x-amz-checksum-crc32"}};
  EXPECT_TRUE(decode("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", options, 5).done);
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\n\r\n", options, 5).code, "MalformedTrailerError");
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\nx-amz-trailer-signature:00\r\n\r\n", options, 5).code,
            "MalformedTrailerError");
}

TEST(AwsChunked, refuses_what_is_malformed_or_of_another_length) {
  const AwsChunkedDecoder::Options options{.decoded_length = 3};
  EXPECT_EQ(decode("4\r\nabcd\r\n0\r\n\r\n", options, 9).code, "IncompleteBody");
  EXPECT_EQ(decode("2\r\nab\r\n0\r\n\r\n", options, 9).code, "IncompleteBody");
  EXPECT_EQ(decode("3;x=y\r\nabc\r\n0\r\n\r\n", options, 9).code, "InvalidRequest");
  EXPECT_EQ(decode("\r\nabc\r\n0\r\n\r\n", options, 9).code, "InvalidRequest");
  EXPECT_EQ(decode("3\nabc\r\n0\r\n\r\n", options, 9).code, "InvalidRequest");
  EXPECT_EQ(decode("3\r\nabcd\r\n0\r\n\r\n", options, 9).code, "InvalidRequest");
  EXPECT_EQ(decode("fffffffffffffffff\r\n", options, 9).code, "InvalidRequest");
  EXPECT_EQ(decode(std::string(300, '0'), options, 9).code, "InvalidRequest");
  EXPECT_EQ(decode("3\r\nabc\r\n", {.kind = Kind::streaming_signed}, 9).code, "InvalidRequest");
}

template <class T>
Result<T> run(Task<T> task) {
  async::EpollLoop loop(async::real_env());
  std::optional<Result<T>> got;
  loop.post([&] {
    [](Task<T> t, std::optional<Result<T>>* out) -> async::Detached {
      auto r = co_await as_result(std::move(t));
      out->emplace(std::move(r));
    }(std::move(task), &got);
  });
  while (!got) loop.run_once(10);
  return std::move(*got);
}

using Headers = std::vector<std::pair<std::string, std::string>>;

Result<std::string> payload_of(Headers headers, std::string body, ErrorFamily family,
                               size_t limit = 1 << 20) {
  const auto request = net::make_memory_request("PUT", "/b/k", std::move(headers), std::move(body));
  VIRGA_TRY(source, open_payload(*request, {.family = family, .inflated_max = limit}));
  return run(async::read_all(*source, limit, {.code = "TooLarge"}));
}

TEST(Payload, compares_the_declared_hash) {
  const Sha256 digest = sha256("body");
  const Headers right{{"x-amz-content-sha256", to_hex(as_bytes(digest))}};
  EXPECT_EQ(*payload_of(right, "body", ErrorFamily::s3), "body");
  EXPECT_EQ(payload_of(right, "bodx", ErrorFamily::s3).error().code, "XAmzContentSHA256Mismatch");
  EXPECT_EQ(payload_of(right, "bodx", ErrorFamily::json).error().code, "InvalidSignatureException");
  EXPECT_EQ(payload_of({{"x-amz-content-sha256", "junk"}}, "b", ErrorFamily::s3).error().code,
            "InvalidArgument");
  EXPECT_EQ(*payload_of({{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}, "b", ErrorFamily::s3), "b");
}

TEST(Payload, takes_aws_chunked_apart) {
  Headers headers{{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                  {"x-amz-decoded-content-length", "3"}};
  EXPECT_EQ(*payload_of(headers, "3\r\nabc\r\n0\r\n\r\n", ErrorFamily::s3), "abc");
  EXPECT_EQ(payload_of(headers, "3\r\nabc\r\n0\r\n", ErrorFamily::s3).error().code,
            "IncompleteBody");
  EXPECT_EQ(payload_of(headers, "3\r\nabc\r\n0\r\n\r\nmore", ErrorFamily::s3).error().code,
            "InvalidRequest");
  headers.pop_back();
  EXPECT_EQ(payload_of(headers, "3\r\nabc\r\n0\r\n\r\n", ErrorFamily::s3).error().code,
            "MissingContentLength");
}

TEST(Payload, decodes_a_whole_body_in_memory) {
  const auto chunking =
      net::make_memory_request("PUT", "/b/k",
                               {{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                                {"x-amz-decoded-content-length", "5"}},
                               "");
  const auto signing = documented_signing(kSeed);
  const std::string text = encode_chunked({"ab", "cde"}, Kind::streaming_signed, signing, {});
  EXPECT_EQ(**decode_whole_payload(chunking->head(), text, signing), "abcde");
  EXPECT_EQ(**decode_whole_payload(chunking->head(), text, std::nullopt), "abcde");
  EXPECT_EQ(
      decode_whole_payload(chunking->head(), text.substr(0, text.size() - 1), signing).error().code,
      "IncompleteBody");
  EXPECT_EQ(decode_whole_payload(chunking->head(), text + "x", signing).error().code,
            "InvalidRequest");
  EXPECT_EQ(
      decode_whole_payload(chunking->head(), text, documented_signing(kTrailerSeed)).error().code,
      "SignatureDoesNotMatch");
  const auto plain = net::make_memory_request("PUT", "/b/k", {}, "body");
  const auto untouched = decode_whole_payload(plain->head(), "body", std::nullopt);
  ASSERT_TRUE(untouched);
  EXPECT_FALSE(untouched->has_value());
}

TEST(Payload, inflates_gzip_except_for_s3) {
  const std::string zipped = net::gzip("metric data");
  EXPECT_EQ(*payload_of({{"Content-Encoding", "gzip"}}, zipped, ErrorFamily::json), "metric data");
  EXPECT_EQ(*payload_of({{"Content-Encoding", "gzip"}}, zipped, ErrorFamily::s3), zipped);
  EXPECT_EQ(payload_of({{"Content-Encoding", "gzip"}}, zipped.substr(0, 10), ErrorFamily::json)
                .error()
                .code,
            "InvalidRequest");
}

}  // namespace
}  // namespace virga::sigv4
