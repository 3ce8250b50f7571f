#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include <fstream>
#include <sstream>

#include "base/check.h"

namespace virga::net {
namespace {

template <auto F>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    F(p);
  }
};
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* const text = ERR_reason_error_string(code);
  return text ? text : "code " + std::to_string(code);
}

std::unexpected<AwsError> bad_configuration(std::string_view what) {
  return fail("TlsConfiguration", 500, std::string(what) + ": " + openssl_reason());
}

Bio bio_of(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Takes http/1.1 from the client's list; without it there is nothing to talk about. Source: RFC
// 7301 §3.2.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  static constexpr unsigned char kOurs[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kOurs, sizeof kOurs, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

Context new_context(const SSL_METHOD* method) {
  Context context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

struct TlsContext::Impl {
  Context context;
  bool client = false;
};

Result<TlsFiles> TlsFiles::read(const std::string& certificates_path, const std::string& key_path) {
  TlsFiles out;
  for (const auto& [path, text] :
       {std::pair(&certificates_path, &out.certificates), std::pair(&key_path, &out.key)}) {
    errno = 0;
    std::ifstream file(*path, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    if (!file)
      return fail("TlsConfiguration", 500,
                  "cannot read " + *path + (errno != 0 ? std::string(": ") + strerror(errno) : ""));
    *text = content.str();
  }
  return out;
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::server(std::string_view certificates_pem,
                                                       std::string_view key_pem) {
  auto impl = std::make_unique<Impl>(Impl{new_context(TLS_server_method())});
  SSL_CTX* const context = impl->context.get();
  const Bio certificates = bio_of(certificates_pem);
  const Certificate leaf(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return bad_configuration("the TLS certificate is not usable");
  while (X509* const next = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(context, next);  // takes it over
  }
  ERR_clear_error();  // the end of the chain is an error to OpenSSL
  const Bio key_bio = bio_of(key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return bad_configuration("the TLS key is not usable");
  if (SSL_CTX_check_private_key(context) != 1)
    return bad_configuration("the TLS key is not the certificate's");
  SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
  static constexpr unsigned char kSessionContext[] = "virga";
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_OFF);  // tickets carry the state: nothing to keep here
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(std::string_view authorities_pem) {
  auto impl = std::make_unique<Impl>(Impl{new_context(TLS_client_method()), true});
  SSL_CTX* const context = impl->context.get();
  SSL_CTX_set_default_verify_paths(context);
  ERR_clear_error();  // a machine without authorities verifies nobody, which its connections will
                      // say
  const Bio authorities = bio_of(authorities_pem);
  while (X509* const next = PEM_read_bio_X509(authorities.get(), nullptr, nullptr, nullptr)) {
    const Certificate authority(next);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  ERR_clear_error();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  static constexpr unsigned char kProtocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols);
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

struct TlsSession::Impl {
  std::unique_ptr<SSL, Deleter<SSL_free>> ssl;
  BIO* in = nullptr;   // owned by ssl
  BIO* out = nullptr;  // owned by ssl
  State state = State::handshake;
  std::string output;
  std::string reason;

  void collect_output() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    if (size <= 0) return;
    output.append(data, static_cast<size_t>(size));
    BIO_reset(out);
  }
  void failed() {
    state = State::failed;
    const long verified = SSL_get_verify_result(ssl.get());
    reason = verified != X509_V_OK ? X509_verify_cert_error_string(verified) : openssl_reason();
    ERR_clear_error();
  }
};

TlsSession::TlsSession(const TlsContext& context, std::string_view server_name)
    : impl_(std::make_unique<Impl>()) {
  SSL* const ssl = SSL_new(context.impl_->context.get());
  CHECK(ssl != nullptr);
  impl_->ssl.reset(ssl);
  impl_->in = BIO_new(BIO_s_mem());
  impl_->out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, impl_->in, impl_->out);
  if (!context.impl_->client) {
    SSL_set_accept_state(ssl);
    return;
  }
  SSL_set_connect_state(ssl);
  const std::string name(server_name);
  unsigned char address[16];
  const bool is_ip = inet_pton(AF_INET, name.c_str(), address) == 1 ||
                     inet_pton(AF_INET6, name.c_str(), address) == 1;
  if (is_ip) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set1_host(ssl, name.c_str());
  }
}

TlsSession::~TlsSession() = default;
TlsSession::TlsSession(TlsSession&&) noexcept = default;

TlsSession::State TlsSession::receive(std::string_view ciphertext, std::string& plain) {
  Impl& s = *impl_;
  if (s.state == State::closed || s.state == State::failed) return s.state;
  if (!ciphertext.empty())
    CHECK(BIO_write(s.in, ciphertext.data(), static_cast<int>(ciphertext.size())) > 0);
  ERR_clear_error();
  if (s.state == State::handshake) {
    const int got = SSL_do_handshake(s.ssl.get());
    if (got == 1) {
      s.state = State::open;
    } else if (SSL_get_error(s.ssl.get(), got) != SSL_ERROR_WANT_READ) {
      s.failed();
    }
  }
  char piece[16 * 1024];  // one record
  while (s.state == State::open) {
    const int got = SSL_read(s.ssl.get(), piece, sizeof piece);
    if (got > 0) {
      plain.append(piece, static_cast<size_t>(got));
      continue;
    }
    const int why = SSL_get_error(s.ssl.get(), got);
    if (why == SSL_ERROR_WANT_READ) break;
    if (why == SSL_ERROR_ZERO_RETURN) {
      s.state = State::closed;
    } else {
      s.failed();
    }
  }
  s.collect_output();  // handshake flights, tickets, alerts
  return s.state;
}

bool TlsSession::send(std::string_view plain) {
  Impl& s = *impl_;
  if (s.state != State::open) return false;
  while (!plain.empty()) {
    const size_t count = std::min<size_t>(plain.size(), 16 * 1024);
    ERR_clear_error();
    if (SSL_write(s.ssl.get(), plain.data(), static_cast<int>(count)) <= 0) {
      s.failed();
      return false;
    }
    plain.remove_prefix(count);
  }
  s.collect_output();
  return true;
}

void TlsSession::close() {
  if (impl_->state != State::open) return;
  ERR_clear_error();
  SSL_shutdown(impl_->ssl.get());
  impl_->collect_output();
}

std::string& TlsSession::output() {
  return impl_->output;
}
TlsSession::State TlsSession::state() const {
  return impl_->state;
}
std::string TlsSession::reason() const {
  return impl_->reason;
}

}  // namespace virga::net
