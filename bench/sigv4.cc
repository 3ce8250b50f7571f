// The cost of one SigV4 check with a cached signing key: parse, hash of a 1 KiB body, canonical
// request, comparison.
//   build/bench/bench_sigv4
#include "aws/sigv4.h"

#include <cstdio>
#include <ctime>

#include "base/hashing.h"
#include "base/strings.h"

namespace {

using namespace virga;

double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

template <class F>
void measure(const char* name, F f) {
  constexpr int kRounds = 100'000;
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double before = cpu_seconds();
    for (int i = 0; i < kRounds; ++i) f();
    best = std::min(best, cpu_seconds() - before);
  }
  std::printf("%-40s %7.3f us\n", name, best / kRounds * 1e6);
}

}  // namespace

int main() {
  const std::string body(1024, 'b');
  sigv4::RequestToSign request{.method = "POST",
                               .headers = {{"Host", "dynamodb.us-east-1.amazonaws.com"},
                                           {"Content-Type", "application/x-amz-json-1.0"},
                                           {"X-Amz-Target", "DynamoDB_20120810.GetItem"}}};
  const Timestamp now = Timestamp::from_seconds(1'772'366'400);
  const Sha256 digest = sha256(body);
  const std::string secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  sigv4::sign(request, {"AKIDEXAMPLE", secret, "a-session-token"}, "us-east-1", "dynamodb",
              to_hex(as_bytes(digest)), now);
  std::string text = "POST / HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  text +=
      "User-Agent: Boto3/1.43 md/Botocore#1.43 ua/2.0 os/linux lang/python#3.11\r\nContent-Length: "
      "1024\r\n\r\n";
  net::RequestHead head;
  const net::HttpLimits limits;

  measure("parse the head", [&] {
    size_t scanned = 0;
    const auto scan = net::scan_request_head(text, scanned, limits);
    CHECK(scan.head_bytes == text.size());
    CHECK(!net::parse_request_head(text, limits, head));
  });
  measure("hash of 1 KiB", [&] {
    const Sha256 hash = sha256(body);
    CHECK(hash[0] == digest[0]);
  });
  measure("hmac of 130 bytes", [&] {
    const Sha256 mac =
        hmac_sha256(std::string_view(body).substr(0, 32), std::string_view(body).substr(0, 130));
    CHECK(mac[0] || true);
  });
  measure("take the signature apart", [&] {
    const auto signature = sigv4::parse(head, sigv4::ErrorFamily::json);
    CHECK(signature && *signature);
  });
  measure("whole check", [&] {
    const auto signature = sigv4::parse(head, sigv4::ErrorFamily::json);
    const Sha256 hash = sha256(body);
    CHECK(sigv4::check_time(**signature, now, sigv4::ErrorFamily::json));
    CHECK(
        sigv4::verify(head, **signature, secret, to_hex(as_bytes(hash)), sigv4::ErrorFamily::json));
  });
}
