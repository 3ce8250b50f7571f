// Server certificates: uploaded, kept and given back; nothing here ends TLS with them. Source: IAM
// User Guide, "Manage server certificates in IAM"; IAM API Reference, the pages of these
// operations.
#include <algorithm>

#include "api/iam/delete_server_certificate.h"
#include "api/iam/get_server_certificate.h"
#include "api/iam/list_server_certificate_tags.h"
#include "api/iam/list_server_certificates.h"
#include "api/iam/shapes/server_certificate.h"
#include "api/iam/shapes/server_certificate_metadata.h"
#include "api/iam/tag_server_certificate.h"
#include "api/iam/untag_server_certificate.h"
#include "api/iam/update_server_certificate.h"
#include "api/iam/upload_server_certificate.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/key_material.h"
#include "services/iam/service.h"
#include "services/iam/support.h"
#include "services/iam/user_credentials.h"

namespace virga::iam {
namespace {

constexpr size_t kCertificatesMax = 20;  // IAM User Guide, "IAM and AWS STS quotas"
constexpr auto kServerCertificate = DocumentKind::server_certificate;

api::ServerCertificateMetadata certificate_metadata(const RequestContext& context,
                                                    const Document& d) {
  api::ServerCertificateMetadata m;
  m.path = text_member(d, "path");
  m.server_certificate_name = text_member(d, "name");
  m.server_certificate_id = text_member(d, "id");
  m.arn = "arn:" + context.partition + ":iam::" + context.account + ":server-certificate" + m.path +
          m.server_certificate_name;
  m.upload_date = time_member(d, "created");
  m.expiration = time_member(d, "expires");
  return m;
}

Result<Document> find_certificate(const IamReader& iam, const std::string& name) {
  VIRGA_TRY(found, iam.find_document(kServerCertificate, name));
  if (!found) {
    return fail(errors::no_such_entity_text("The Server Certificate with name " + name +
                                            " cannot be found."));
  }
  return std::move(*found);
}

Result<void> refuse_taken_certificate(const IamReader& iam, const std::string& name) {
  VIRGA_TRY(taken, iam.find_document(kServerCertificate, name));
  if (!taken) return {};
  return fail(
      errors::already_exists_text("The Server Certificate with name " + name + " already exists."));
}

}  // namespace

Task<api::UploadServerCertificateOutput> Service::upload_server_certificate(
    Ctx ctx, api::UploadServerCertificateInput input) {
  const Timestamp expires = co_await certificate_expiration(input.certificate_body);
  co_await check_key_pair(input.certificate_body, input.private_key);
  if (input.certificate_chain)
    co_await check_chain(input.certificate_body, *input.certificate_chain);
  TagList tags;
  if (input.tags) co_await add_tags(tags, *input.tags, "TagsPerServerCertificate");
  Document d = Document::object();
  d.set("id", new_unique_id("ASCA", ctx->env->random)).set("name", input.server_certificate_name);
  d.set("path", input.path.value_or("/")).set("created", ctx->now.at.micros);
  d.set("expires", expires.micros).set("body", input.certificate_body);
  d.set("key", input.private_key).set("tags", tags_document(tags));
  if (input.certificate_chain) d.set("chain", *input.certificate_chain);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY_VOID(refuse_taken_certificate(iam, input.server_certificate_name));
    size_t count = 0;
    VIRGA_TRY_VOID(iam.each_document(kServerCertificate, [&](Document&&) { ++count; }));
    if (count >= kCertificatesMax) {
      return fail(
          errors::limit_exceeded("Cannot exceed quota for ServerCertificatesPerAccount: 20"));
    }
    iam.put_document(kServerCertificate, input.server_certificate_name, d);
    return {};
  });
  api::UploadServerCertificateOutput output;
  output.server_certificate_metadata = certificate_metadata(*ctx, d);
  if (!tags.empty()) output.tags = to_tags(tags);
  co_return output;
}

Task<api::GetServerCertificateOutput> Service::get_server_certificate(
    Ctx ctx, api::GetServerCertificateInput input) {
  const Document d = co_await read(ctx, [&](const IamReader& iam) {
    return find_certificate(iam, input.server_certificate_name);
  });
  api::GetServerCertificateOutput output;
  auto& certificate = output.server_certificate;
  certificate.server_certificate_metadata = certificate_metadata(*ctx, d);
  certificate.certificate_body = text_member(d, "body");
  if (d.find("chain")) certificate.certificate_chain = text_member(d, "chain");
  if (const TagList tags = tags_of(d); !tags.empty()) certificate.tags = to_tags(tags);
  co_return output;
}

Task<api::ListServerCertificatesOutput> Service::list_server_certificates(
    Ctx ctx, api::ListServerCertificatesInput input) {
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<api::ServerCertificateMetadata> all;
  co_await read(ctx, [&](const IamReader& iam) {
    return iam.each_document(kServerCertificate, [&](Document&& d) {
      if (d.string_or("path", "").starts_with(prefix)) all.push_back(certificate_metadata(*ctx, d));
    });
  });
  api::ListServerCertificatesOutput output;
  output.server_certificate_metadata_list =
      co_await page_of(all, input.marker, input.max_items, output,
                       [](const auto& m) { return to_lower(m.server_certificate_name); });
  co_return output;
}

Task<api::UpdateServerCertificateOutput> Service::update_server_certificate(
    Ctx ctx, api::UpdateServerCertificateInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    const std::string& name = input.server_certificate_name;
    VIRGA_TRY(d, find_certificate(iam, name));
    if (input.new_path) d.set("path", *input.new_path);
    const std::string& new_name = input.new_server_certificate_name.value_or(name);
    if (!iequals(new_name, name)) {
      VIRGA_TRY_VOID(refuse_taken_certificate(iam, new_name));
      iam.erase_document(kServerCertificate, name);
    }
    d.set("name", new_name);
    iam.put_document(kServerCertificate, new_name, d);
    return {};
  });
  co_return api::UpdateServerCertificateOutput();
}

Task<api::DeleteServerCertificateOutput> Service::delete_server_certificate(
    Ctx ctx, api::DeleteServerCertificateInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, find_certificate(iam, input.server_certificate_name));
    iam.txn().allow_in_low_space();
    iam.erase_document(kServerCertificate, input.server_certificate_name);
    return {};
  });
  co_return api::DeleteServerCertificateOutput();
}

Task<api::TagServerCertificateOutput> Service::tag_server_certificate(
    Ctx ctx, api::TagServerCertificateInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(d, find_certificate(iam, input.server_certificate_name));
    TagList tags = tags_of(d);
    VIRGA_TRY_VOID(add_tags(tags, input.tags, "TagsPerServerCertificate"));
    d.set("tags", tags_document(tags));
    iam.put_document(kServerCertificate, input.server_certificate_name, d);
    return {};
  });
  co_return api::TagServerCertificateOutput();
}

Task<api::UntagServerCertificateOutput> Service::untag_server_certificate(
    Ctx ctx, api::UntagServerCertificateInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(d, find_certificate(iam, input.server_certificate_name));
    TagList tags = tags_of(d);
    remove_tags(tags, input.tag_keys);
    d.set("tags", tags_document(tags));
    iam.put_document(kServerCertificate, input.server_certificate_name, d);
    return {};
  });
  co_return api::UntagServerCertificateOutput();
}

Task<api::ListServerCertificateTagsOutput> Service::list_server_certificate_tags(
    Ctx ctx, api::ListServerCertificateTagsInput input) {
  const Document d = co_await read(ctx, [&](const IamReader& iam) {
    return find_certificate(iam, input.server_certificate_name);
  });
  TagList tags = tags_of(d);
  std::sort(tags.begin(), tags.end());
  api::ListServerCertificateTagsOutput output;
  const auto page = co_await page_of(tags, input.marker, input.max_items, output,
                                     [](const auto& tag) { return tag.first; });
  output.tags = to_tags(page);
  co_return output;
}

}  // namespace virga::iam
