// OpenID Connect identity providers. Source: IAM User Guide, "Create an OpenID Connect (OIDC)
// identity provider in IAM"; IAM API Reference, the pages of these operations.
#include <algorithm>

#include "api/iam/add_client_id_to_open_id_connect_provider.h"
#include "api/iam/create_open_id_connect_provider.h"
#include "api/iam/delete_open_id_connect_provider.h"
#include "api/iam/get_open_id_connect_provider.h"
#include "api/iam/list_open_id_connect_provider_tags.h"
#include "api/iam/list_open_id_connect_providers.h"
#include "api/iam/remove_client_id_from_open_id_connect_provider.h"
#include "api/iam/shapes/open_id_connect_provider_list_entry.h"
#include "api/iam/tag_open_id_connect_provider.h"
#include "api/iam/untag_open_id_connect_provider.h"
#include "api/iam/update_open_id_connect_provider_thumbprint.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr size_t kClientIdsMax = 100;
constexpr size_t kThumbprintsMax = 5;
constexpr size_t kThumbprintLength = 40;

struct Provider {
  std::string url;  // without scheme and trailing slash: what its ARN ends in
  std::vector<std::string> client_ids;
  std::vector<std::string> thumbprints;
  Timestamp created;
  TagList tags;
};

Document list_of(const std::vector<std::string>& texts) {
  Document out = Document::array();
  for (const auto& t : texts) out.push(t);
  return out;
}

std::vector<std::string> texts_of(const Document* list) {
  std::vector<std::string> out;
  if (!list) return out;
  for (const Document& t : list->as_array()) out.push_back(t.as_string());
  return out;
}

Document to_document(const Provider& p) {
  Document d = Document::object();
  d.set("url", p.url)
      .set("clients", list_of(p.client_ids))
      .set("thumbprints", list_of(p.thumbprints));
  d.set("created", p.created.micros).set("tags", tags_document(p.tags));
  return d;
}

Provider from_document(const Document& d) {
  Provider p;
  p.url = std::string(d.string_or("url", ""));
  p.client_ids = texts_of(d.find("clients"));
  p.thumbprints = texts_of(d.find("thumbprints"));
  p.created.micros = d.find("created")->as_int();
  p.tags = tags_of(d);
  return p;
}

std::string arn_of(const RequestContext& context, const std::string& url) {
  return "arn:" + context.partition + ":iam::" + context.account + ":oidc-provider/" + url;
}

// "token.actions.githubusercontent.com" of https://token.actions.githubusercontent.com/.
Result<std::string> name_of_url(std::string_view url) {
  if (!url.starts_with("https://")) {
    return fail(errors::validation("Invalid Open ID Connect Provider URL"));
  }
  url.remove_prefix(url.find("://") + 3);
  while (url.ends_with('/')) url.remove_suffix(1);
  const bool good = !url.empty() && url.find_first_of(" ?#@\\\"") == std::string_view::npos;
  if (!good) return fail(errors::validation("Invalid Open ID Connect Provider URL"));
  return std::string(url);
}

Result<void> check_thumbprints(const std::vector<std::string>& thumbprints) {
  if (thumbprints.size() > kThumbprintsMax) {
    return fail(errors::invalid_input("Thumbprint list must contain fewer than 5 entries."));
  }
  for (const auto& t : thumbprints) {
    const bool hex = t.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (t.size() != kThumbprintLength || !hex)
      return fail(errors::validation("Thumbprint must be 40 hexadecimal characters"));
  }
  return {};
}

Result<Provider> find_provider(const RequestContext& context, const IamReader& iam,
                               const std::string& arn) {
  const std::string prefix = arn_of(context, "");
  const AwsError none =
      errors::no_such_entity_text("OpenIDConnect Provider not found for arn " + arn);
  if (!arn.starts_with(prefix)) return fail(none);
  VIRGA_TRY(found, iam.find_document(DocumentKind::oidc_provider, arn.substr(prefix.size())));
  if (!found) return fail(none);
  return from_document(*found);
}

}  // namespace

template <class Edit>
Task<void> Service::edit_provider(Ctx ctx, std::string arn, Edit edit) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(provider, find_provider(*ctx, iam, arn));
    VIRGA_TRY_VOID(edit(provider));
    iam.put_document(DocumentKind::oidc_provider, provider.url, to_document(provider));
    return {};
  });
  co_return ok();
}

Task<api::CreateOpenIDConnectProviderOutput> Service::create_open_id_connect_provider(
    Ctx ctx, api::CreateOpenIDConnectProviderInput input) {
  Provider p;
  p.url = co_await name_of_url(input.url);
  if (input.client_id_list) p.client_ids = *input.client_id_list;
  if (input.thumbprint_list) p.thumbprints = *input.thumbprint_list;
  co_await check_thumbprints(p.thumbprints);
  if (p.client_ids.size() > kClientIdsMax) {
    co_return fail(
        errors::limit_exceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"));
  }
  p.created = ctx->now.at;
  if (input.tags) co_await add_tags(p.tags, *input.tags, "TagsPerOpenIdConnectProvider");
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_document(DocumentKind::oidc_provider, p.url));
    if (found)
      return fail(
          errors::already_exists_text("Provider with url https://" + p.url + " already exists."));
    iam.put_document(DocumentKind::oidc_provider, p.url, to_document(p));
    return {};
  });
  api::CreateOpenIDConnectProviderOutput output;
  output.open_id_connect_provider_arn = arn_of(*ctx, p.url);
  if (!p.tags.empty()) output.tags = to_tags(p.tags);
  co_return output;
}

Task<api::GetOpenIDConnectProviderOutput> Service::get_open_id_connect_provider(
    Ctx ctx, api::GetOpenIDConnectProviderInput input) {
  const Provider p = co_await read(ctx, [&](const IamReader& iam) {
    return find_provider(*ctx, iam, input.open_id_connect_provider_arn);
  });
  api::GetOpenIDConnectProviderOutput output;
  output.url = p.url;
  output.client_id_list = p.client_ids;
  output.thumbprint_list = p.thumbprints;
  output.create_date = p.created;
  if (!p.tags.empty()) output.tags = to_tags(p.tags);
  co_return output;
}

Task<api::ListOpenIDConnectProvidersOutput> Service::list_open_id_connect_providers(
    Ctx ctx, api::ListOpenIDConnectProvidersInput input) {
  api::ListOpenIDConnectProvidersOutput output;
  auto& list = output.open_id_connect_provider_list.emplace();
  co_await read(ctx, [&](const IamReader& iam) {
    return iam.each_document(DocumentKind::oidc_provider, [&](Document&& d) {
      list.emplace_back().arn = arn_of(*ctx, from_document(d).url);
    });
  });
  co_return output;
}

Task<api::DeleteOpenIDConnectProviderOutput> Service::delete_open_id_connect_provider(
    Ctx ctx, api::DeleteOpenIDConnectProviderInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(provider, find_provider(*ctx, iam, input.open_id_connect_provider_arn));
    iam.erase_document(DocumentKind::oidc_provider, provider.url);
    return {};
  });
  co_return api::DeleteOpenIDConnectProviderOutput();
}

Task<api::AddClientIDToOpenIDConnectProviderOutput>
Service::add_client_id_to_open_id_connect_provider(
    Ctx ctx, api::AddClientIDToOpenIDConnectProviderInput input) {
  co_await edit_provider(ctx, input.open_id_connect_provider_arn, [&](Provider& p) -> Result<void> {
    if (std::find(p.client_ids.begin(), p.client_ids.end(), input.client_id) != p.client_ids.end())
      return {};
    if (p.client_ids.size() >= kClientIdsMax) {
      return fail(
          errors::limit_exceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"));
    }
    p.client_ids.push_back(input.client_id);
    return {};
  });
  co_return api::AddClientIDToOpenIDConnectProviderOutput();
}

Task<api::RemoveClientIDFromOpenIDConnectProviderOutput>
Service::remove_client_id_from_open_id_connect_provider(
    Ctx ctx, api::RemoveClientIDFromOpenIDConnectProviderInput input) {
  co_await edit_provider(ctx, input.open_id_connect_provider_arn, [&](Provider& p) -> Result<void> {
    std::erase(p.client_ids, input.client_id);
    return {};
  });
  co_return api::RemoveClientIDFromOpenIDConnectProviderOutput();
}

Task<api::UpdateOpenIDConnectProviderThumbprintOutput>
Service::update_open_id_connect_provider_thumbprint(
    Ctx ctx, api::UpdateOpenIDConnectProviderThumbprintInput input) {
  co_await check_thumbprints(input.thumbprint_list);
  co_await edit_provider(ctx, input.open_id_connect_provider_arn, [&](Provider& p) -> Result<void> {
    p.thumbprints = input.thumbprint_list;
    return {};
  });
  co_return api::UpdateOpenIDConnectProviderThumbprintOutput();
}

Task<api::TagOpenIDConnectProviderOutput> Service::tag_open_id_connect_provider(
    Ctx ctx, api::TagOpenIDConnectProviderInput input) {
  co_await edit_provider(ctx, input.open_id_connect_provider_arn, [&](Provider& p) {
    return add_tags(p.tags, input.tags, "TagsPerOpenIdConnectProvider");
  });
  co_return api::TagOpenIDConnectProviderOutput();
}

Task<api::UntagOpenIDConnectProviderOutput> Service::untag_open_id_connect_provider(
    Ctx ctx, api::UntagOpenIDConnectProviderInput input) {
  co_await edit_provider(ctx, input.open_id_connect_provider_arn, [&](Provider& p) -> Result<void> {
    remove_tags(p.tags, input.tag_keys);
    return {};
  });
  co_return api::UntagOpenIDConnectProviderOutput();
}

Task<api::ListOpenIDConnectProviderTagsOutput> Service::list_open_id_connect_provider_tags(
    Ctx ctx, api::ListOpenIDConnectProviderTagsInput input) {
  Provider p = co_await read(ctx, [&](const IamReader& iam) {
    return find_provider(*ctx, iam, input.open_id_connect_provider_arn);
  });
  api::ListOpenIDConnectProviderTagsOutput output;
  std::sort(p.tags.begin(), p.tags.end());
  const auto page = co_await page_of(p.tags, input.marker, input.max_items, output,
                                     [](const auto& tag) { return tag.first; });
  output.tags = to_tags(page);
  co_return output;
}

}  // namespace virga::iam
