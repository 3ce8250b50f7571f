#include "services/s3/website_rules.h"

#include "base/strings.h"

namespace virga::s3 {
namespace {

constexpr int kMovedPermanently = 301;

std::string website_url(std::string_view scheme, std::string_view host, std::string_view key,
                        std::string_view query) {
  std::string out =
      std::string(scheme) + "://" + std::string(host) + "/" + percent_encode(key, KeepSlash::yes);
  if (!query.empty()) out.append("?").append(query);
  return out;
}

bool holds(const api::RoutingRule& rule, const WebsiteVisit& visit, int error) {
  const bool after = rule.condition && rule.condition->http_error_code_returned_equals;
  if (after != (error != 0)) return false;
  if (after && *rule.condition->http_error_code_returned_equals != std::to_string(error))
    return false;
  return !rule.condition || !rule.condition->key_prefix_equals ||
         visit.key.starts_with(*rule.condition->key_prefix_equals);
}

std::string redirected_key(const api::RoutingRule& rule, const std::string& key) {
  const api::Redirect& to = rule.redirect;
  if (to.replace_key_with) return *to.replace_key_with;
  if (!to.replace_key_prefix_with) return key;
  const bool conditional = rule.condition && rule.condition->key_prefix_equals;
  const size_t prefix = conditional ? rule.condition->key_prefix_equals->size() : 0;
  return *to.replace_key_prefix_with + key.substr(prefix);
}

}  // namespace

WebsiteRedirect redirect_of_all(const api::RedirectAllRequestsTo& to, const WebsiteVisit& visit) {
  return {kMovedPermanently,
          website_url(to.protocol.value_or(visit.scheme), to.host_name, visit.key, visit.query)};
}

std::optional<WebsiteRedirect> redirect_by_rules(const api::WebsiteConfiguration& website,
                                                 const WebsiteVisit& visit, int error) {
  if (!website.routing_rules) return std::nullopt;
  for (const api::RoutingRule& rule : *website.routing_rules) {
    if (!holds(rule, visit, error)) continue;
    const api::Redirect& to = rule.redirect;
    const auto code = to.http_redirect_code ? parse_int(*to.http_redirect_code) : std::nullopt;
    return WebsiteRedirect{
        static_cast<int>(code.value_or(kMovedPermanently)),
        website_url(to.protocol.value_or(visit.scheme), to.host_name.value_or(visit.host),
                    redirected_key(rule, visit.key), visit.query)};
  }
  return std::nullopt;
}

std::string website_key(const api::WebsiteConfiguration& website, std::string_view key) {
  std::string out(key);
  if (website.index_document && (out.empty() || out.ends_with('/')))
    out += website.index_document->suffix;
  return out;
}

}  // namespace virga::s3
