// SAML identity providers: their metadata, kept and given back. Source: IAM User Guide, "Create a
// SAML identity provider in IAM"; IAM API Reference, the pages of these operations.
#include <algorithm>

#include "api/iam/create_saml_provider.h"
#include "api/iam/delete_saml_provider.h"
#include "api/iam/get_saml_provider.h"
#include "api/iam/list_saml_provider_tags.h"
#include "api/iam/list_saml_providers.h"
#include "api/iam/shapes/saml_provider_list_entry.h"
#include "api/iam/tag_saml_provider.h"
#include "api/iam/untag_saml_provider.h"
#include "api/iam/update_saml_provider.h"
#include "aws/xml.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr size_t kProvidersMax = 100;
// Metadata that does not end is taken for a hundred years.
constexpr int64_t kValidMicros = int64_t{100} * 365 * 24 * 3600 * 1'000'000;

struct SamlProvider {
  std::string name;
  std::string metadata;
  std::string uuid;
  std::string encryption;  // Required or Allowed; empty: none
  Timestamp created;
  Timestamp valid_until;
  TagList tags;
};

Document to_document(const SamlProvider& p) {
  Document d = Document::object();
  d.set("name", p.name).set("metadata", p.metadata).set("uuid", p.uuid);
  d.set("encryption", p.encryption).set("created", p.created.micros);
  d.set("valid_until", p.valid_until.micros).set("tags", tags_document(p.tags));
  return d;
}

SamlProvider from_document(const Document& d) {
  SamlProvider p;
  p.name = d.string_or("name", "");
  p.metadata = d.string_or("metadata", "");
  p.uuid = d.string_or("uuid", "");
  p.encryption = d.string_or("encryption", "");
  p.created.micros = d.find("created")->as_int();
  p.valid_until.micros = d.find("valid_until")->as_int();
  p.tags = tags_of(d);
  return p;
}

std::string arn_of(const RequestContext& context, const std::string& name) {
  return "arn:" + context.partition + ":iam::" + context.account + ":saml-provider/" + name;
}

// Takes an identity provider's metadata over, with the end of its validity.
Result<void> set_metadata(SamlProvider& p, const std::string& metadata, Timestamp now) {
  const auto root = aws::parse_xml(metadata);
  if (!root || root->local_name() != "EntityDescriptor" || !root->child("IDPSSODescriptor"))
    return fail(errors::invalid_input("Could not parse metadata"));
  p.metadata = metadata;
  p.valid_until = Timestamp{now.micros + kValidMicros};
  if (const auto until = root->attribute("validUntil")) {
    const auto parsed = parse_iso8601(*until);
    if (!parsed) return fail(errors::invalid_input("Could not parse metadata"));
    p.valid_until = *parsed;
  }
  return {};
}

Result<SamlProvider> find_provider(const RequestContext& context, const IamReader& iam,
                                   const std::string& arn) {
  const std::string prefix = arn_of(context, "");
  const AwsError none = errors::no_such_entity_text("Manifest not found for arn " + arn);
  if (!arn.starts_with(prefix)) return fail(none);
  VIRGA_TRY(found, iam.find_document(DocumentKind::saml_provider, arn.substr(prefix.size())));
  if (!found) return fail(none);
  return from_document(*found);
}

Result<void> refuse_keys(bool given) {
  if (!given) return {};
  return fail("NotImplemented", 501,
              "private keys of SAML providers are not implemented by Virga.");
}

}  // namespace

template <class Edit>
Task<void> Service::edit_saml_provider(Ctx ctx, std::string arn, Edit edit) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(provider, find_provider(*ctx, iam, arn));
    VIRGA_TRY_VOID(edit(provider));
    iam.put_document(DocumentKind::saml_provider, provider.name, to_document(provider));
    return {};
  });
  co_return ok();
}

Task<api::CreateSAMLProviderOutput> Service::create_saml_provider(
    Ctx ctx, api::CreateSAMLProviderInput input) {
  co_await refuse_keys(input.add_private_key.has_value());
  SamlProvider p;
  p.name = input.name;
  p.uuid = new_unique_id("ASIP", ctx->env->random);
  p.encryption = input.assertion_encryption_mode.value_or("");
  p.created = ctx->now.at;
  co_await set_metadata(p, input.saml_metadata_document, ctx->now.at);
  if (input.tags) co_await add_tags(p.tags, *input.tags, "TagsPerSamlProvider");
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_document(DocumentKind::saml_provider, p.name));
    if (found)
      return fail(
          errors::already_exists_text("SAMLProvider with name " + p.name + " already exists."));
    size_t count = 0;
    VIRGA_TRY_VOID(iam.each_document(DocumentKind::saml_provider, [&](Document&&) { ++count; }));
    if (count >= kProvidersMax)
      return fail(errors::limit_exceeded("Cannot exceed quota for SAMLProvidersPerAccount: 100"));
    iam.put_document(DocumentKind::saml_provider, p.name, to_document(p));
    return {};
  });
  api::CreateSAMLProviderOutput output;
  output.saml_provider_arn = arn_of(*ctx, p.name);
  if (!p.tags.empty()) output.tags = to_tags(p.tags);
  co_return output;
}

Task<api::GetSAMLProviderOutput> Service::get_saml_provider(Ctx ctx,
                                                            api::GetSAMLProviderInput input) {
  const SamlProvider p = co_await read(
      ctx, [&](const IamReader& iam) { return find_provider(*ctx, iam, input.saml_provider_arn); });
  api::GetSAMLProviderOutput output;
  output.saml_provider_uuid = p.uuid;
  output.saml_metadata_document = p.metadata;
  output.create_date = p.created;
  output.valid_until = p.valid_until;
  if (!p.encryption.empty()) output.assertion_encryption_mode = p.encryption;
  if (!p.tags.empty()) output.tags = to_tags(p.tags);
  co_return output;
}

Task<api::ListSAMLProvidersOutput> Service::list_saml_providers(Ctx ctx,
                                                                api::ListSAMLProvidersInput input) {
  api::ListSAMLProvidersOutput output;
  auto& list = output.saml_provider_list.emplace();
  co_await read(ctx, [&](const IamReader& iam) {
    return iam.each_document(DocumentKind::saml_provider, [&](Document&& d) {
      const SamlProvider p = from_document(d);
      auto& entry = list.emplace_back();
      entry.arn = arn_of(*ctx, p.name);
      entry.create_date = p.created;
      entry.valid_until = p.valid_until;
    });
  });
  co_return output;
}

Task<api::UpdateSAMLProviderOutput> Service::update_saml_provider(
    Ctx ctx, api::UpdateSAMLProviderInput input) {
  co_await refuse_keys(input.add_private_key || input.remove_private_key);
  co_await edit_saml_provider(ctx, input.saml_provider_arn, [&](SamlProvider& p) -> Result<void> {
    if (input.assertion_encryption_mode) p.encryption = *input.assertion_encryption_mode;
    if (!input.saml_metadata_document) return {};
    return set_metadata(p, *input.saml_metadata_document, ctx->now.at);
  });
  api::UpdateSAMLProviderOutput output;
  output.saml_provider_arn = input.saml_provider_arn;
  co_return output;
}

Task<api::DeleteSAMLProviderOutput> Service::delete_saml_provider(
    Ctx ctx, api::DeleteSAMLProviderInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(provider, find_provider(*ctx, iam, input.saml_provider_arn));
    iam.erase_document(DocumentKind::saml_provider, provider.name);
    return {};
  });
  co_return api::DeleteSAMLProviderOutput();
}

Task<api::TagSAMLProviderOutput> Service::tag_saml_provider(Ctx ctx,
                                                            api::TagSAMLProviderInput input) {
  co_await edit_saml_provider(ctx, input.saml_provider_arn, [&](SamlProvider& p) {
    return add_tags(p.tags, input.tags, "TagsPerSamlProvider");
  });
  co_return api::TagSAMLProviderOutput();
}

Task<api::UntagSAMLProviderOutput> Service::untag_saml_provider(Ctx ctx,
                                                                api::UntagSAMLProviderInput input) {
  co_await edit_saml_provider(ctx, input.saml_provider_arn, [&](SamlProvider& p) -> Result<void> {
    remove_tags(p.tags, input.tag_keys);
    return {};
  });
  co_return api::UntagSAMLProviderOutput();
}

Task<api::ListSAMLProviderTagsOutput> Service::list_saml_provider_tags(
    Ctx ctx, api::ListSAMLProviderTagsInput input) {
  SamlProvider p = co_await read(
      ctx, [&](const IamReader& iam) { return find_provider(*ctx, iam, input.saml_provider_arn); });
  api::ListSAMLProviderTagsOutput output;
  std::sort(p.tags.begin(), p.tags.end());
  const auto page = co_await page_of(p.tags, input.marker, input.max_items, output,
                                     [](const auto& tag) { return tag.first; });
  output.tags = to_tags(page);
  co_return output;
}

}  // namespace virga::iam
