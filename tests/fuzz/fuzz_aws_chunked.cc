// aws-chunked: any bytes in any parts are read alike; what we encode we decode; and once a signed
// body was changed, it is refused. Planted fault: VIRGA_PLANT=skip_signature (chunk signatures are
// not compared).
#include "aws/chunked.h"
#include "fuzz.h"

namespace {

using namespace virga;
using namespace virga::sigv4;
using Kind = PayloadDeclaration::Kind;

const ChunkSigning kSigning{.key = signing_key("secret", "20130524", "us-east-1", "s3"),
                            .amz_date = "20130524T000000Z",
                            .scope = "20130524/us-east-1/s3/aws4_request",
                            .seed = std::string(64, 'a')};

struct Outcome {
  bool done = false;
  std::string code;
  std::string data;
  size_t used = 0;
};

Outcome decode(std::string_view bytes, size_t step, const AwsChunkedDecoder::Options& options) {
  AwsChunkedDecoder decoder(options);
  Outcome out;
  while (out.used < bytes.size() && !decoder.done() && !decoder.error()) {
    out.used += decoder.feed(bytes.substr(out.used, step), out.data, step);
  }
  out.done = decoder.done();
  if (decoder.error()) out.code = decoder.error()->code;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint8_t mode = input.byte();
  const size_t step = input.byte() % 32 + 1;
  const Kind kinds[] = {Kind::streaming_signed, Kind::streaming_signed_trailer,
                        Kind::streaming_unsigned_trailer};
  const Kind kind = kinds[mode % 3];
  AwsChunkedDecoder::Options options{.kind = kind};
  if ((mode & 4) != 0) options.signing = kSigning;

  if ((mode & 8) == 0) {
    const Outcome whole = decode(input.rest(), input.rest().size() + 1, options);
    const Outcome parts = decode(input.rest(), step, options);
    REQUIRE(whole.done == parts.done);
    REQUIRE(whole.code == parts.code);
    if (whole.done) {
      REQUIRE(whole.data == parts.data);
      REQUIRE(whole.used == parts.used);
    }
    return 0;
  }
  const size_t where = input.byte() * 256u + input.byte();
  const auto change = static_cast<char>(input.byte());
  const std::string body(input.rest());
  const size_t cut = body.size() / 2;
  const std::vector<std::pair<std::string, std::string>> trailers =
      kind == Kind::streaming_signed
          ? std::vector<std::pair<std::string, std::string>>{}
          : std::vector<std::pair<std::string, std::string>>{{"x-amz-checksum-crc32", "AAAAAA=="}};
  std::string text =
      encode_chunked({body.substr(0, cut), body.substr(cut)}, kind, kSigning, trailers);
  options.signing = kSigning;
  options.decoded_length = body.size();
  const Outcome good = decode(text, step, options);
  REQUIRE(good.done && good.data == body && good.used == text.size());
  if (change == 0 || kind == Kind::streaming_unsigned_trailer) return 0;
  text[where % text.size()] ^= change;
  if (fuzz::planted("skip_signature")) options.signing.reset();
  const Outcome bad = decode(text, step, options);
  // A size in the other case, or with leading zeros, is the same size; everything else is signed.
  REQUIRE(!bad.done || bad.data == body);
  return 0;
}
