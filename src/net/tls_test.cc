#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/test_certificate.h"

namespace virga::net {

namespace {

std::string take(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

}  // namespace

TestCertificate make_test_certificate() {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::pair<int, const char*> extensions[] = {
      {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
      {NID_basic_constraints, "critical,CA:TRUE"}};
  for (const auto& [nid, value] : extensions) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate, key, EVP_sha256());
  BIO* const certificate_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_bio, certificate);
  BIO* const key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {take(certificate_bio), take(key_bio)};
}

namespace {

using State = TlsSession::State;

// Carries bytes between the two until neither has any.
void talk(TlsSession& client, TlsSession& server, std::string& to_client, std::string& to_server) {
  client.receive({}, to_client);
  for (int i = 0; i < 20 && !(client.output().empty() && server.output().empty()); ++i) {
    server.receive(std::exchange(client.output(), {}), to_server);
    client.receive(std::exchange(server.output(), {}), to_client);
  }
}

class TlsTest : public testing::Test {
 protected:
  const TestCertificate made_ = make_test_certificate();
  const std::shared_ptr<TlsContext> server_ =
      *TlsContext::server(made_.certificate_pem, made_.key_pem);
  const std::shared_ptr<TlsContext> client_ = *TlsContext::client(made_.certificate_pem);
  std::string to_client_;
  std::string to_server_;
};

TEST_F(TlsTest, carries_text_both_ways) {
  TlsSession server(*server_);
  TlsSession client(*client_, "localhost");
  talk(client, server, to_client_, to_server_);
  ASSERT_EQ(client.state(), State::open) << client.reason();
  ASSERT_EQ(server.state(), State::open) << server.reason();
  const std::string large(100'000, 'x');
  EXPECT_TRUE(client.send("question"));
  EXPECT_TRUE(server.send(large));
  talk(client, server, to_client_, to_server_);
  EXPECT_EQ(to_server_, "question");
  EXPECT_EQ(to_client_, large);
  client.close();
  talk(client, server, to_client_, to_server_);
  EXPECT_EQ(server.state(), State::closed);
}

TEST_F(TlsTest, verifies_name_address_and_authority) {
  for (const char* name : {"127.0.0.1", "::1"}) {
    TlsSession server(*server_);
    TlsSession client(*client_, name);
    talk(client, server, to_client_, to_server_);
    EXPECT_EQ(client.state(), State::open) << name;
  }
  TlsSession server(*server_);
  TlsSession other_name(*client_, "elsewhere.example");
  talk(other_name, server, to_client_, to_server_);
  EXPECT_EQ(other_name.state(), State::failed);
  EXPECT_THAT(other_name.reason(), testing::HasSubstr("mismatch"));
  TlsSession server2(*server_);
  TlsSession no_authority(**TlsContext::client(), "localhost");
  talk(no_authority, server2, to_client_, to_server_);
  EXPECT_EQ(no_authority.state(), State::failed);
}

TEST_F(TlsTest, bytes_that_are_no_tls_fail) {
  TlsSession server(*server_);
  EXPECT_EQ(server.receive("GET / HTTP/1.1\r\n\r\n", to_server_), State::failed);
  EXPECT_FALSE(server.send("x"));
}

TEST_F(TlsTest, refuses_unusable_certificates_and_keys) {
  EXPECT_EQ(TlsContext::server("junk", made_.key_pem).error().code, "TlsConfiguration");
  EXPECT_EQ(TlsContext::server(made_.certificate_pem, "junk").error().code, "TlsConfiguration");
  EXPECT_THAT(
      TlsContext::server(made_.certificate_pem, make_test_certificate().key_pem).error().message,
      testing::HasSubstr("TLS key"));
  EXPECT_THAT(TlsFiles::read("/nowhere.pem", "/nowhere.key").error().message,
              testing::HasSubstr("/nowhere.pem: No such file or directory"));
}

}  // namespace
}  // namespace virga::net
