#include "aws/sigv4_errors.h"

#include "base/document.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::sigv4 {
namespace {

AwsError make(std::string code, int status, std::string message) {
  return {.code = std::move(code), .http_status = status, .message = std::move(message)};
}

AwsError incomplete(ErrorFamily family, std::string message) {
  switch (family) {
    case ErrorFamily::json:
      return make("IncompleteSignatureException", 400, std::move(message));
    case ErrorFamily::rest_json:
      return make("IncompleteSignatureException", 403, std::move(message));
    case ErrorFamily::query:
      return make("IncompleteSignature", 400, std::move(message));
    case ErrorFamily::s3:
      return make("AuthorizationHeaderMalformed", 400, std::move(message));
  }
  return internal_failure("error family");
}

AwsError invalid(ErrorFamily family, std::string message) {
  switch (family) {
    case ErrorFamily::json:
      return make("InvalidSignatureException", 400, std::move(message));
    case ErrorFamily::rest_json:
      return make("InvalidSignatureException", 403, std::move(message));
    case ErrorFamily::query:
    case ErrorFamily::s3:
      return make("SignatureDoesNotMatch", 403, std::move(message));
  }
  return internal_failure("error family");
}

AwsError s3_malformed(bool presigned, std::string what) {
  if (presigned) return make("AuthorizationQueryParametersError", 400, std::move(what));
  return make("AuthorizationHeaderMalformed", 400,
              "The authorization header is malformed; " + std::move(what));
}

AwsError with_detail(AwsError error, Document detail) {
  error.detail = std::make_shared<const Document>(std::move(detail));
  return error;
}

// The header holds a signature: AWS prints its digest only.
std::string hashed(std::string_view text) {
  const Sha256 digest = sha256(text);
  return to_base64(as_bytes(digest));
}

std::string spaced_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 3);
  for (const char c : bytes) {
    if (!out.empty()) out += ' ';
    out += to_hex(std::string_view(&c, 1));
  }
  return out;
}

}  // namespace

AwsError missing_token(ErrorFamily family) {
  switch (family) {
    case ErrorFamily::json:
      return make("MissingAuthenticationTokenException", 400,
                  "Request is missing Authentication Token");
    case ErrorFamily::rest_json:
      return make("MissingAuthenticationTokenException", 403, "Missing Authentication Token");
    case ErrorFamily::query:
      return make("MissingAuthenticationToken", 403, "Request is missing Authentication Token");
    case ErrorFamily::s3:
      return make("AccessDenied", 403, "Access Denied");
  }
  return internal_failure("error family");
}

AwsError invalid_token(ErrorFamily family) {
  constexpr const char* kText = "The security token included in the request is invalid.";
  switch (family) {
    case ErrorFamily::json:
      return make("UnrecognizedClientException", 400, kText);
    case ErrorFamily::rest_json:
      return make("UnrecognizedClientException", 403, kText);
    case ErrorFamily::query:
      return make("InvalidClientTokenId", 403, kText);
    case ErrorFamily::s3:
      return make("InvalidAccessKeyId", 403,
                  "The AWS Access Key Id you provided does not exist in our records.");
  }
  return internal_failure("error family");
}

AwsError expired_token(ErrorFamily family) {
  constexpr const char* kText = "The security token included in the request is expired";
  switch (family) {
    case ErrorFamily::json:
      return make("ExpiredTokenException", 400, kText);
    case ErrorFamily::rest_json:
      return make("ExpiredTokenException", 403, kText);
    case ErrorFamily::query:
      return make("ExpiredToken", 403, kText);
    case ErrorFamily::s3:
      return make("ExpiredToken", 400, "The provided token has expired.");
  }
  return internal_failure("error family");
}

AwsError payload_mismatch(ErrorFamily family) {
  if (family == ErrorFamily::s3) {
    return make("XAmzContentSHA256Mismatch", 400,
                "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  return invalid(family,
                 "The value of 'x-amz-content-sha256' does not match the request's payload.");
}

AwsError incomplete_header(ErrorFamily family, const MissingParts& missing,
                           std::string_view authorization) {
  if (family == ErrorFamily::s3) {
    if (missing.credential || missing.signature || missing.signed_headers) {
      return s3_malformed(false,
                          "the authorization header requires three components: Credential, "
                          "SignedHeaders, and Signature.");
    }
    return make("AccessDenied", 403,
                "AWS authentication requires a valid Date or x-amz-date header");
  }
  std::string message;
  if (missing.credential) message += "Authorization header requires 'Credential' parameter. ";
  if (missing.signature) message += "Authorization header requires 'Signature' parameter. ";
  if (missing.signed_headers)
    message += "Authorization header requires 'SignedHeaders' parameter. ";
  if (missing.date) {
    message +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  message += "(Hashed with SHA-256 and encoded with Base64) Authorization=" + hashed(authorization);
  return incomplete(family, std::move(message));
}

AwsError incomplete_query(ErrorFamily family, const MissingParts& missing) {
  if (family == ErrorFamily::s3) {
    return s3_malformed(
        true,
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  }
  std::string message;
  const auto name = [&](bool is_missing, const char* parameter) {
    if (is_missing)
      message += std::string("AWS query-string parameters must include '") + parameter + "'. ";
  };
  name(missing.algorithm, "X-Amz-Algorithm");
  name(missing.credential, "X-Amz-Credential");
  name(missing.signature, "X-Amz-Signature");
  name(missing.signed_headers, "X-Amz-SignedHeaders");
  name(missing.date, "X-Amz-Date");
  return incomplete(family, message + "Re-examine the query-string parameters.");
}

AwsError missing_equals(ErrorFamily family, std::string_view item, std::string_view authorization) {
  if (family == ErrorFamily::s3) {
    return s3_malformed(false,
                        "the authorization component \"" + std::string(item) + "\" is malformed.");
  }
  return incomplete(family,
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed "
                    "with SHA-256 and encoded "
                    "with Base64): '" +
                        hashed(authorization) + "'.");
}

AwsError unsupported_scheme(std::string_view authorization) {
  const bool two_words = authorization.find(' ') != std::string_view::npos;
  return with_detail(
      make("InvalidArgument", 400,
           two_words ? "Unsupported Authorization Type"
                     : "Authorization header is invalid -- one and only one ' ' (space) required"),
      Document::object().set("ArgumentName", "Authorization").set("ArgumentValue", authorization));
}

AwsError unsupported_algorithm(ErrorFamily family, bool presigned, std::string_view algorithm) {
  if (family == ErrorFamily::s3) {
    if (presigned)
      return s3_malformed(
          true, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"");
    return make("InvalidRequest", 400,
                "The authorization mechanism you have provided is not supported. Please use "
                "AWS4-HMAC-SHA256.");
  }
  return incomplete(family,
                    "Unsupported AWS 'algorithm': '" + std::string(algorithm.substr(0, 64)) + "'.");
}

AwsError malformed_credential(ErrorFamily family, bool presigned, std::string_view credential) {
  if (family == ErrorFamily::s3) {
    if (presigned) {
      return s3_malformed(
          true,
          "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
          "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    }
    return s3_malformed(false,
                        "the Credential is mal-formed; expecting "
                        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  return incomplete(family,
                    "Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, "
                    "got '" +
                        std::string(credential) + "'");
}

AwsError malformed_date(ErrorFamily family, bool presigned, std::string_view date) {
  if (family == ErrorFamily::s3) {
    if (presigned)
      return s3_malformed(true,
                          "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    return make("AccessDenied", 403,
                "AWS authentication requires a valid Date or x-amz-date header");
  }
  return incomplete(family, "Date must be in ISO-8601 'basic format'. Got '" + std::string(date) +
                                "'. See http://en.wikipedia.org/wiki/ISO_8601");
}

AwsError bad_expiry(ErrorFamily family, std::string_view why) {
  if (family == ErrorFamily::s3) return s3_malformed(true, std::string(why));
  return incomplete(family, std::string(why));
}

AwsError both_signatures(ErrorFamily family) {
  constexpr const char* kText =
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.";
  switch (family) {
    case ErrorFamily::json:
      return make("InvalidSignatureException", 400, kText);
    case ErrorFamily::rest_json:
      return make("InvalidSignatureException", 403, kText);
    case ErrorFamily::query:
      return make("InvalidSignature", 403, kText);
    case ErrorFamily::s3:
      return make("InvalidArgument", 400,
                  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                  "Signature query string "
                  "parameter or the Authorization header should be specified");
  }
  return internal_failure("error family");
}

AwsError wrong_scope(ErrorFamily family, bool presigned, std::string message) {
  if (family == ErrorFamily::s3) return s3_malformed(presigned, std::move(message));
  return invalid(family, std::move(message));
}

AwsError wrong_region(ErrorFamily family, const Signature& signature, std::string_view expected) {
  if (family != ErrorFamily::s3) {
    return invalid(family, "Credential should be scoped to a valid region. ");
  }
  std::string text = signature.presigned ? "Error parsing the X-Amz-Credential parameter; " : "";
  text += "the region '" + std::string(signature.region) + "' is wrong; expecting '" +
          std::string(expected) + "'";
  Document detail = Document::object();
  detail.set("Region", Document(expected));
  return with_detail(s3_malformed(signature.presigned, std::move(text)), std::move(detail));
}

AwsError region_missing(bool presigned) {
  const std::string_view where =
      presigned ? "Error parsing the X-Amz-Credential parameter; " : std::string_view();
  return s3_malformed(presigned, std::string(where) +
                                     "a non-empty region must be provided in the credential.");
}

AwsError bad_payload_declaration() {
  return make("InvalidArgument", 400,
              "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
              "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a "
              "valid sha256 value.");
}

AwsError headers_not_signed(std::string_view names) {
  return with_detail(
      make("AccessDenied", 403, "There were headers present in the request which were not signed"),
      Document::object().set("HeadersNotSigned", names));
}

AwsError host_not_signed(ErrorFamily family) {
  if (family == ErrorFamily::s3) return headers_not_signed("host");
  return invalid(family,
                 "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

namespace {

AwsError skewed_s3(const Signature& signature, Timestamp now, int64_t window_s) {
  Document detail = Document::object();
  detail.set("RequestTime", Document(signature.amz_date));
  detail.set("ServerTime", Document(format_iso8601(Timestamp::from_seconds(now.seconds()))));
  detail.set("MaxAllowedSkewMilliseconds", Document(window_s * 1000));
  return with_detail(
      make("RequestTimeTooSkewed", 403,
           "The difference between the request time and the current time is too large."),
      std::move(detail));
}

// "20150830T123100Z (20150830T123600Z - 5 min.)"
std::string bound(Timestamp now, int64_t shift_s, const char* sign) {
  const Timestamp edge{now.micros + shift_s * 1'000'000};
  return format_iso8601_basic(edge) + " (" + format_iso8601_basic(now) + " " + sign + " " +
         std::to_string(std::abs(shift_s) / 60) + " min.)";
}

}  // namespace

AwsError signature_expired(ErrorFamily family, const Signature& signature, Timestamp now,
                           int64_t window_s) {
  if (family == ErrorFamily::s3) return skewed_s3(signature, now, window_s);
  return invalid(family, "Signature expired: " + std::string(signature.amz_date) +
                             " is now earlier than " + bound(now, -window_s, "-"));
}

AwsError not_yet_current(ErrorFamily family, const Signature& signature, Timestamp now,
                         int64_t window_s) {
  if (family == ErrorFamily::s3) return skewed_s3(signature, now, window_s);
  return invalid(family, "Signature not yet current: " + std::string(signature.amz_date) +
                             " is still later than " + bound(now, window_s, "+"));
}

AwsError link_expired(ErrorFamily family, const Signature& signature, Timestamp now) {
  const Timestamp until{signature.signed_at.micros + signature.expires_s * 1'000'000};
  if (family == ErrorFamily::s3) {
    Document detail = Document::object();
    detail.set("X-Amz-Expires", Document(signature.expires_s));
    detail.set("Expires", Document(format_iso8601(until)));
    detail.set("ServerTime", Document(format_iso8601(Timestamp::from_seconds(now.seconds()))));
    return with_detail(make("AccessDenied", 403, "Request has expired"), std::move(detail));
  }
  return invalid(family, "Signature expired: " + format_iso8601_basic(until) +
                             " is now earlier than " + format_iso8601_basic(now));
}

AwsError mismatch(ErrorFamily family, const Signature& signature,
                  std::string_view canonical_request, std::string_view string_to_sign) {
  if (family == ErrorFamily::s3) {
    Document detail = Document::object();
    detail.set("AWSAccessKeyId", Document(signature.access_key_id));
    detail.set("StringToSign", Document(string_to_sign));
    detail.set("SignatureProvided", Document(signature.signature));
    detail.set("StringToSignBytes", Document(spaced_hex(string_to_sign)));
    detail.set("CanonicalRequest", Document(canonical_request));
    detail.set("CanonicalRequestBytes", Document(spaced_hex(canonical_request)));
    return with_detail(make("SignatureDoesNotMatch", 403,
                            "The request signature we calculated does not match the signature you "
                            "provided. Check your "
                            "key and signing method."),
                       std::move(detail));
  }
  std::string message =
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key "
      "and signing method. Consult the service documentation for details.";
  if (family != ErrorFamily::query) {
    message += "\n\nThe Canonical String for this request should have been\n'";
    message += canonical_request;
    message += "'\n\nThe String-to-Sign should have been\n'";
    message += string_to_sign;
    message += "'\n";
  }
  return invalid(family, std::move(message));
}

}  // namespace virga::sigv4
