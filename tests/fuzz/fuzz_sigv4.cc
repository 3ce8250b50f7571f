// SigV4: any head goes through parse, the checks and verify of every family without harm and is
// never taken for signed; a request made of fuzzed pieces and signed by us verifies, and no longer
// does after any one byte of its line changed. Planted fault: VIRGA_PLANT=ignore_query (both sides
// leave the query out).
#include "aws/sigv4.h"
#include "fuzz.h"

namespace {

using namespace virga;
using namespace virga::sigv4;

constexpr ErrorFamily kFamilies[] = {ErrorFamily::json, ErrorFamily::rest_json, ErrorFamily::query,
                                     ErrorFamily::s3};
constexpr std::string_view kSecret = "a secret nobody guesses";
const Timestamp kNow = Timestamp::from_seconds(1'440'938'160);

bool parse_head(std::string_view text, net::RequestHead& head) {
  size_t scanned = 0;
  const net::HttpLimits limits;
  const net::HeadScan scan = net::scan_request_head(text, scanned, limits);
  if (scan.refusal || scan.head_bytes != text.size()) return false;
  return !net::parse_request_head(text, limits, head);
}

void take_any(std::string_view text) {
  net::RequestHead head;
  if (!parse_head(text, head)) return;
  for (const ErrorFamily family : kFamilies) {
    const auto parsed = parse(head, family);
    if (!parsed) {
      REQUIRE(!parsed.error().code.empty() && !parsed.error().message.empty());
      REQUIRE(parsed.error().http_status == 400 || parsed.error().http_status == 403);
      continue;
    }
    if (!*parsed) continue;
    const Signature& signature = **parsed;
    REQUIRE(!signature.access_key_id.empty() && signature.date.size() == 8);
    const auto timely = check_time(signature, kNow, family);
    const auto scoped = check_scope(signature, "s3", "us-east-1", family);
    REQUIRE(!timely || !scoped || signature.service == "s3");
    REQUIRE(!verify(head, signature, kSecret, kEmptyHash, family));
    const std::string canonical = canonical_request(head, signature, kEmptyHash);
    REQUIRE(canonical.starts_with(head.method));
  }
}

struct Signed {
  std::string text;
  std::string line;
};

bool verifies(const std::string& text, ErrorFamily family) {
  net::RequestHead head;
  if (!parse_head(text, head)) return false;
  if (fuzz::planted("ignore_query")) head.query = {};
  const auto parsed = parse(head, family);
  if (!parsed || !*parsed) return false;
  return verify(head, **parsed, kSecret, kEmptyHash, family).has_value();
}

// Target texts that mean the same in their canonical form: no change of meaning to be noticed.
std::string canonical_of(const std::string& text, ErrorFamily family) {
  net::RequestHead head;
  if (!parse_head(text, head)) return "unparsable";
  const auto parsed = parse(head, family);
  if (!parsed || !*parsed) return "unsigned";
  return canonical_request(head, **parsed, kEmptyHash);
}

void sign_and_change(fuzz::Input& input) {
  const bool s3 = (input.byte() & 1) != 0;
  const size_t where = input.byte();
  const auto change = static_cast<char>(input.byte() | 1);
  RequestToSign request;
  request.method = "POST";
  request.path = "/" + std::string(input.until('\n'));
  request.query = std::string(input.until('\n'));
  request.headers = {{"Host", "h"}, {"X-Amz-Fuzz", std::string(input.until('\n'))}};
  if (request.query.find("X-Amz-") != std::string::npos) return;
  if (request.path.find_first_of("?#") != std::string::npos) return;
  const ErrorFamily family = s3 ? ErrorFamily::s3 : ErrorFamily::json;
  RequestToSign plain = request;
  if (fuzz::planted("ignore_query")) plain.query.clear();
  sign(plain, {"AKID", std::string(kSecret), ""}, "us-east-1", s3 ? "s3" : "sqs", kEmptyHash, kNow);
  std::string line =
      "POST " + request.path + (request.query.empty() ? "" : "?" + request.query) + " HTTP/1.1\r\n";
  std::string rest;
  for (const auto& [name, value] : plain.headers) rest += name + ": " + value + "\r\n";
  rest += "\r\n";
  net::RequestHead head;
  if (!parse_head(line + rest, head)) return;  // not everything can be sent
  REQUIRE(verifies(line + rest, family));
  std::string changed = line;
  changed[where % (line.size() - 11)] ^= change;
  if (canonical_of(changed + rest, family) == canonical_of(line + rest, family)) return;
  REQUIRE(!verifies(changed + rest, family));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  if ((input.byte() & 1) == 0) {
    take_any(input.rest());
  } else {
    sign_and_change(input);
  }
  return 0;
}
