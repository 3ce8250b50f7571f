#include "services/apigatewayv2/http_integration.h"

#include <algorithm>

#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

using Action = ParameterMapping::Action;
using Target = ParameterMapping::Target;

std::string encode_query(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [n, v] : pairs) {
    if (!out.empty()) out += '&';
    out += percent_encode(n);
    out += '=';
    out += percent_encode(v);
  }
  return out;
}

void map_header(MappedRequest& m, const ParameterMapping& mapping,
                std::optional<std::string> value) {
  auto& headers = m.request.headers;
  if (mapping.action != Action::append) {
    std::erase_if(headers, [&](const Field& f) { return iequals(f.name, mapping.name); });
  }
  if (!value || !is_header_value(*value) || !is_header_name(mapping.name)) return;
  const std::string& name = m.texts.emplace_back(mapping.name);
  const std::string& text = m.texts.emplace_back(std::move(*value));
  headers.push_back({name, text});
}

void map_query(MappedRequest& m, const ParameterMapping& mapping,
               std::optional<std::string> value) {
  auto pairs = parse_query(m.request.query);
  if (mapping.action != Action::append) {
    std::erase_if(pairs, [&](const auto& p) { return p.first == mapping.name; });
  }
  if (value) pairs.emplace_back(mapping.name, std::move(*value));
  m.request.query = m.texts.emplace_back(encode_query(pairs));
}

bool is_proxied_hop_header(std::string_view lower) {
  return lower == "connection" || lower == "keep-alive" || lower == "transfer-encoding" ||
         lower == "te" || lower == "trailer" || lower == "upgrade" || lower == "proxy-connection" ||
         lower == "content-length" || lower == "expect";
}

// The URL with the route's variables in the place of {name} and {name+}.
std::string expand_url(std::string_view url, const Exchange& x) {
  std::string out;
  for (;;) {
    const size_t open = url.find('{');
    out += url.substr(0, open);
    if (open == std::string_view::npos) return out;
    const size_t close = url.find('}', open);
    if (close == std::string_view::npos) {
      out += url.substr(open);
      return out;
    }
    std::string_view name = url.substr(open + 1, close - open - 1);
    if (name.ends_with('+')) name.remove_suffix(1);
    for (const auto& [n, v] : x.path_parameters) {
      if (n == name) out += percent_encode(v, KeepSlash::yes);
    }
    url.remove_prefix(close + 1);
  }
}

}  // namespace

std::unique_ptr<MappedRequest> apply_request_mappings(const CompiledIntegration& integration,
                                                      const Exchange& exchange) {
  auto mapped = std::make_unique<MappedRequest>();
  MappedRequest& m = *mapped;
  m.request = *exchange.request;
  m.exchange = exchange;
  m.exchange.request = &m.request;
  MappingEvaluator evaluator(
      exchange, nullptr);  // values see the client's request, whatever was changed before
  for (const auto& mapping : integration.request_mappings) {
    const bool remove = mapping.action == Action::remove;
    auto value = remove ? std::nullopt : evaluator.evaluate(mapping.value);
    if (!remove && !value) continue;  // what it names is absent: the parameter stays as it is
    if (mapping.target == Target::header) {
      map_header(m, mapping, std::move(value));
    } else if (mapping.target == Target::query) {
      map_query(m, mapping, std::move(value));
    } else if (mapping.target == Target::path && value) {
      std::string path = value->starts_with('/') ? *value : "/" + *value;
      m.exchange.raw_path = path;
      m.exchange.stage_path = std::move(path);
      m.path_overwritten = true;
    }
  }
  return mapped;
}

Result<UpstreamRequest> upstream_request(const CompiledIntegration& integration,
                                         const MappedRequest& mapped) {
  const Exchange& x = mapped.exchange;
  const GatewayRequest& request = mapped.request;
  UpstreamRequest out;
  out.method = integration.method.empty() || integration.method == "ANY"
                   ? std::string(request.method)
                   : integration.method;
  std::string url = with_stage_variables(integration.uri, x);
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return fail("BadRequestException", 400, "Invalid HTTP endpoint specified for URI");
  }
  std::string query;
  if (const size_t mark = url.find('?'); mark != std::string::npos) {
    query = url.substr(mark + 1);
    url.resize(mark);
  }
  url = expand_url(url, x);
  const size_t host_begin = url.find("://") + 3;
  if (mapped.path_overwritten) {
    const size_t path_begin = url.find('/', host_begin);
    if (path_begin != std::string::npos) url.resize(path_begin);
    url += percent_encode(x.stage_path, KeepSlash::yes);
  } else if (x.route->method.empty()) {  // $default
    while (url.ends_with('/')) url.pop_back();
    url += percent_encode(x.stage_path, KeepSlash::yes);
  }
  if (!request.query.empty()) {
    if (!query.empty()) query += '&';
    query += request.query;
  }
  if (!query.empty()) url += "?" + query;
  out.url = std::move(url);
  for (const auto& h : request.headers) {
    const std::string lower = to_lower(h.name);
    if (is_proxied_hop_header(lower) || lower == "host" || lower == "forwarded" ||
        lower == "x-amzn-trace-id")
      continue;
    out.headers.emplace_back(lower, h.value);
  }
  const bool v6 = request.source_ip.find(':') != std::string::npos;
  const std::string client = v6 ? "\"[" + request.source_ip + "]\"" : request.source_ip;
  out.headers.emplace_back(
      "forwarded", "for=" + client + ";host=" + request.domain_name + ";proto=" + request.scheme);
  out.headers.emplace_back("via", "HTTP/1.1 AmazonAPIGateway");
  out.headers.emplace_back("x-amzn-trace-id", x.trace_id);
  out.body = request.body;
  out.timeout_ms = integration.timeout_ms;
  return out;
}

GatewayReply reply_from_upstream(UpstreamReply upstream) {
  GatewayReply reply{.status = upstream.status, .headers = {}, .body = std::move(upstream.body)};
  for (auto& [name, value] : upstream.headers) {
    std::string lower = to_lower(name);
    if (is_proxied_hop_header(lower) || lower == "date" || lower == "apigw-requestid") continue;
    reply.headers.emplace_back(std::move(lower), std::move(value));
  }
  return reply;
}

}  // namespace virga::apigatewayv2
