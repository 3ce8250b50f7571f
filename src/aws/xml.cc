#include "aws/xml.h"

#include <array>

#include "base/strings.h"

namespace virga::aws {
namespace {

std::string_view without_prefix(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

bool is_xml_char(uint32_t c) {
  return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) ||
         (c >= 0x10000 && c <= 0x10ffff);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool document(XmlNode& root) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    if (!misc() || !starts("<") || !element(root, 1)) return false;
    return misc() && at_ == text_.size();
  }

 private:
  bool starts(std::string_view s) const { return text_.substr(at_).starts_with(s); }
  void blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool skip_past(std::string_view end) {
    const auto found = text_.find(end, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + end.size();
    return true;
  }
  // Blanks, comments and processing instructions. A DTD is none of them.
  bool misc() {
    for (;;) {
      blanks();
      if (starts("<?")) {
        if (!skip_past("?>")) return false;
      } else if (starts("<!--")) {
        if (!skip_past("-->")) return false;
      } else {
        return true;
      }
    }
  }
  bool name(std::string& out) {
    const size_t begin = at_;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (!(std::isalnum(c) || c == '_' || c == ':' || c == '-' || c == '.' || c >= 0x80)) break;
      ++at_;
    }
    out = text_.substr(begin, at_ - begin);
    return at_ > begin && !std::isdigit(static_cast<unsigned char>(out[0])) && out[0] != '-' &&
           out[0] != '.';
  }
  bool reference(std::string& out) {
    const auto end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 12) return false;
    const auto body = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (body == "lt") return out += '<', true;
    if (body == "gt") return out += '>', true;
    if (body == "amp") return out += '&', true;
    if (body == "quot") return out += '"', true;
    if (body == "apos") return out += '\'', true;
    if (!body.starts_with('#') || body.size() < 2) return false;
    uint32_t code = 0;
    const bool hex = body[1] == 'x';
    for (const char c : body.substr(hex ? 2 : 1)) {
      const int digit = std::isdigit(static_cast<unsigned char>(c)) ? c - '0'
                        : hex && std::isxdigit(static_cast<unsigned char>(c))
                            ? std::tolower(c) - 'a' + 10
                            : -1;
      if (digit < 0) return false;
      code = code * (hex ? 16 : 10) + static_cast<uint32_t>(digit);
      if (code > 0x10ffff) return false;
    }
    if (!is_xml_char(code)) return false;
    append_utf8(out, code);
    return true;
  }
  bool attributes(XmlNode& node) {
    for (;;) {
      const size_t before = at_;
      blanks();
      if (starts(">") || starts("/>")) return true;
      if (at_ == before) return false;
      std::string key, value;
      if (!name(key)) return false;
      blanks();
      if (!starts("=")) return false;
      ++at_;
      blanks();
      if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return false;
      const char quote = text_[at_++];
      while (at_ < text_.size() && text_[at_] != quote) {
        if (text_[at_] == '<') return false;
        if (text_[at_] == '&') {
          if (!reference(value)) return false;
        } else {
          value += text_[at_++];
        }
      }
      if (at_ >= text_.size()) return false;
      ++at_;
      node.attributes.emplace_back(std::move(key), std::move(value));
    }
  }
  bool element(XmlNode& node, int depth) {
    if (depth > kXmlDepthMax) return false;
    ++at_;
    if (!name(node.name) || !attributes(node)) return false;
    if (starts("/>")) return at_ += 2, true;
    ++at_;
    while (at_ < text_.size()) {
      if (starts("</")) {
        at_ += 2;
        std::string end;
        if (!name(end) || end != node.name) return false;
        blanks();
        if (!starts(">")) return false;
        ++at_;
        return true;
      }
      if (starts("<!--")) {
        if (!skip_past("-->")) return false;
      } else if (starts("<![CDATA[")) {
        at_ += 9;
        const auto end = text_.find("]]>", at_);
        if (end == std::string_view::npos) return false;
        node.text.append(text_.substr(at_, end - at_));
        at_ = end + 3;
      } else if (starts("<?")) {
        if (!skip_past("?>")) return false;
      } else if (starts("<")) {
        if (!element(node.children.emplace_back(), depth + 1)) return false;
      } else if (text_[at_] == '&') {
        if (!reference(node.text)) return false;
      } else if (text_[at_] == '\r') {
        // Line ends are read as one line feed. Source: XML 1.0 §2.11.
        ++at_;
        if (!starts("\n")) node.text += '\n';
      } else {
        node.text += text_[at_++];
      }
    }
    return false;
  }

  std::string_view text_;
  size_t at_ = 0;
};

constexpr std::string_view kHex = "0123456789ABCDEF";

// What stands for a character that cannot stand for itself; empty for all others.
std::string_view escape_of(unsigned char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\r':
      return "&#xD;";
    default:
      return {};
  }
}

// Which characters are to be looked at: those with an escape, and control characters.
constexpr auto kSpecial = [] {
  std::array<bool, 256> special{};
  for (size_t c = 0; c < 0x20; ++c) special[c] = c != '\t' && c != '\n';
  for (const unsigned char c : {'&', '<', '>', '"'}) special[c] = true;
  return special;
}();

// Whether any character may be special. All are looked at, many at a time: most texts have none.
bool may_need_escapes(std::string_view text) {
  bool special = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    special |= (byte < 0x20) | (byte == '&') | (byte == '<') | (byte == '>') | (byte == '"');
  }
  return special;
}

void append_escaped(std::string& out, std::string_view text) {
  if (!may_need_escapes(text)) {
    out += text;
    return;
  }
  size_t plain = 0;  // where what can go as it is begins
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!kSpecial[c]) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (const auto escape = escape_of(c); !escape.empty()) {
      out += escape;
    } else {
      // Other control characters have no form in XML 1.0; S3 sends references to them all the same.
      out.append("&#x").append(1, kHex[c >> 4]).append(1, kHex[c & 15]).append(1, ';');
    }
  }
  out.append(text, plain);
}

}  // namespace

std::string_view XmlNode::local_name() const {
  return without_prefix(name);
}

const XmlNode* XmlNode::child(std::string_view local) const {
  for (const XmlNode& c : children) {
    if (c.local_name() == local) return &c;
  }
  return nullptr;
}

std::optional<std::string_view> XmlNode::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes) {
    if (key == wanted) return value;
  }
  return std::nullopt;
}

AwsError malformed_xml() {
  return {.code = "MalformedXML",
          .http_status = 400,
          .message =
              "The XML you provided was not well-formed or did not validate against our "
              "published schema"};
}

Result<XmlNode> parse_xml(std::string_view text) {
  XmlNode root;
  if (!is_utf8(text) || !Parser(text).document(root)) {
    return fail(malformed_xml());
  }
  return root;
}

void XmlWriter::finish_tag() {
  if (in_tag_) out_ += '>';
  in_tag_ = false;
}
void XmlWriter::declaration() {
  out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
}
void XmlWriter::open(std::string_view name) {
  finish_tag();
  out_ += '<';
  out_ += name;
  in_tag_ = true;
}
void XmlWriter::attribute(std::string_view name, std::string_view value) {
  out_ += ' ';
  out_ += name;
  out_ += "=\"";
  append_escaped(out_, value);
  out_ += '"';
}
void XmlWriter::text(std::string_view value) {
  finish_tag();
  append_escaped(out_, value);
}
void XmlWriter::close(std::string_view name) {
  if (in_tag_) {
    out_ += "/>";
    in_tag_ = false;
    return;
  }
  out_ += "</";
  out_ += name;
  out_ += '>';
}
void XmlWriter::element(std::string_view name, std::string_view value) {
  open(name);
  text(value);
  close(name);
}

}  // namespace virga::aws
