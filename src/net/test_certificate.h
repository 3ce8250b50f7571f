#pragma once

#include <string>

namespace virga::net {

// A self-signed P-256 certificate for "localhost", 127.0.0.1 and ::1, made now: for tests only.
struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};
TestCertificate make_test_certificate();

}  // namespace virga::net
