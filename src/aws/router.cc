#include "aws/router.h"

#include "base/strings.h"

namespace virga::aws {
namespace {

// "/a/{B}/c" -> "a", "{B}", "c". A trailing slash is not a segment.
std::vector<std::string_view> segments_of(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return {};
  return split(path, '/');
}

bool is_label(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

std::string decode_label(std::string_view raw) {
  auto text = percent_decode(raw);
  return text ? std::move(*text) : std::string(raw);
}

bool has_parameter(const std::vector<std::pair<std::string, std::string>>& query,
                   std::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) return true;
  }
  return false;
}

bool has_parameter(const std::vector<std::pair<std::string, std::string>>& query,
                   const std::pair<std::string, std::string>& wanted) {
  for (const auto& [key, value] : query) {
    if (key == wanted.first && (wanted.second.empty() || value == wanted.second)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto part : split(query, '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const auto decode = [](std::string_view raw) {
      auto text = percent_decode(raw, PlusIsSpace::yes);
      return text ? std::move(*text) : std::string(raw);
    };
    out.emplace_back(decode(part.substr(0, equals)), equals == std::string_view::npos
                                                         ? std::string()
                                                         : decode(part.substr(equals + 1)));
  }
  return out;
}

PathRouter::PathRouter(const ServiceDesc& service) {
  nodes_.emplace_back();
  for (const OperationDesc& op : service.operations) add(op);
}

size_t PathRouter::child(size_t node, std::string_view segment) {
  if (is_label(segment)) {
    const bool greedy = segment.ends_with("+}");
    size_t next = greedy ? nodes_[node].greedy : nodes_[node].label;
    if (!next) {
      next = nodes_.size();
      nodes_.emplace_back();
      (greedy ? nodes_[node].greedy : nodes_[node].label) = next;
    }
    return next;
  }
  for (const auto& [text, next] : nodes_[node].literals) {
    if (text == segment) return next;
  }
  nodes_.emplace_back();
  nodes_[node].literals.emplace_back(std::string(segment), nodes_.size() - 1);
  return nodes_.size() - 1;
}

void PathRouter::add(const OperationDesc& op) {
  const auto question = op.uri.find('?');
  Candidate candidate{.operation = &op,
                      .label_names = {},
                      .literals = {},
                      .query_members = {},
                      .header_members = {}};
  size_t node = 0;
  for (const auto segment : segments_of(op.uri.substr(0, question))) {
    node = child(node, segment);
    if (is_label(segment)) {
      candidate.label_names.push_back(
          segment.substr(1, segment.size() - (segment.ends_with("+}") ? 3 : 2)));
    }
  }
  if (question != std::string_view::npos)
    candidate.literals = parse_query(op.uri.substr(question + 1));
  for (const MemberDesc& m : op.input->members) {
    if (!m.required()) continue;
    if (m.location == Location::query) candidate.query_members.push_back(m.wire);
    if (m.location == Location::header) candidate.header_members.push_back(m.wire);
  }
  nodes_[node].candidates.push_back(std::move(candidate));
}

bool PathRouter::choose(const Node& node, const std::vector<std::string>& labels,
                        const WireRequest& request, Found& found) const {
  if (node.candidates.empty()) return false;
  const auto query = parse_query(request.query);
  const Candidate* best = nullptr;
  int best_score = -1;
  for (const Candidate& c : node.candidates) {
    if (c.operation->http_method != request.method) continue;
    bool fits = true;
    for (const auto& literal : c.literals) fits = fits && has_parameter(query, literal);
    if (!fits) continue;
    // Demanded members decide between operations of one path; alone, a missing one is the
    // constraint check's business.
    int score = static_cast<int>(c.literals.size()) * 16;
    bool complete = true;
    for (const auto name : c.query_members) complete = complete && has_parameter(query, name);
    for (const auto name : c.header_members) complete = complete && request.has_header(name);
    const int demands = static_cast<int>(c.query_members.size() + c.header_members.size());
    score += complete ? 1 + demands : 0;
    // Where two operations have one address, the one with the shorter name is a deprecated form of
    // the other (GetBucketLifecycle, GetBucketLifecycleConfiguration).
    const bool newer =
        best && score == best_score && c.operation->name.starts_with(best->operation->name);
    if (score > best_score || newer) {
      best = &c;
      best_score = score;
    }
  }
  if (!best) {
    if (found.miss == Miss::path) found.miss = Miss::method;
    return false;
  }
  found.operation = best->operation;
  found.miss = Miss::none;
  for (size_t i = 0; i < best->label_names.size() && i < labels.size(); ++i) {
    found.labels.emplace_back(best->label_names[i], labels[i]);
  }
  return true;
}

bool PathRouter::walk(size_t at_node, const std::vector<std::string_view>& segments, size_t at,
                      std::vector<std::string>& labels, const WireRequest& request,
                      Found& found) const {
  const Node& node = nodes_[at_node];
  if (at == segments.size()) return choose(node, labels, request, found);
  for (const auto& [text, next] : node.literals) {
    if (text == segments[at] && walk(next, segments, at + 1, labels, request, found)) return true;
  }
  if (node.label && !segments[at].empty()) {
    labels.push_back(decode_label(segments[at]));
    if (walk(node.label, segments, at + 1, labels, request, found)) return true;
    labels.pop_back();
  }
  if (node.greedy) {
    // Longest first; what follows a greedy label is matched from the end.
    for (size_t end = segments.size(); end > at; --end) {
      const char* first = segments[at].data();
      const char* last = end == segments.size()
                             ? request.path.data() + request.path.size()
                             : segments[end - 1].data() + segments[end - 1].size();
      if (first == last) continue;  // nothing but a trailing slash
      labels.push_back(decode_label({first, static_cast<size_t>(last - first)}));
      if (walk(node.greedy, segments, end, labels, request, found)) return true;
      labels.pop_back();
    }
  }
  return false;
}

PathRouter::Found PathRouter::find(const WireRequest& request) const {
  Found found;
  std::vector<std::string> labels;
  auto segments = segments_of(request.path);
  walk(0, segments, 0, labels, request, found);
  return found;
}

}  // namespace virga::aws
