#include "services/lambda/url_store.h"

#include "services/lambda/record_io.h"

namespace virga::lambda {
namespace {

using storage::Key;
using storage::Space;
using storage::Txn;
using storage::View;

constexpr uint8_t kBelow = 2, kUrls = 5, kUrlTargets = 7;

Key urls(const store::Owner& owner, uint64_t id) {
  return std::move(
      Key(Space::lambda).account(owner.account).region(owner.region).u8(kBelow).u64(id).u8(kUrls));
}
Key target_key(std::string_view url_id) {
  return std::move(Key(Space::lambda).account("").region("").u8(kUrlTargets).text(url_id));
}

std::string encode(const UrlRecord& r) {
  Document d = Document::object();
  d.set("qualifier", r.qualifier)
      .set("url_id", r.url_id)
      .set("auth_type", r.auth_type)
      .set("mode", r.invoke_mode);
  d.set("created", r.created.micros).set("modified", r.modified.micros);
  if (r.cors) {
    Document cors = Document::object();
    cors.set("credentials", r.cors->allow_credentials)
        .set("headers", list_document(r.cors->allow_headers));
    cors.set("methods", list_document(r.cors->allow_methods))
        .set("origins", list_document(r.cors->allow_origins));
    cors.set("expose", list_document(r.cors->expose_headers));
    if (r.cors->max_age) cors.set("max_age", *r.cors->max_age);
    d.set("cors", std::move(cors));
  }
  return finish_record(d);
}

Result<UrlRecord> decode(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  UrlRecord r;
  const RecordReader in(d);
  in.text("qualifier", r.qualifier);
  in.text("url_id", r.url_id);
  in.text("auth_type", r.auth_type);
  in.text("mode", r.invoke_mode);
  in.time("created", r.created);
  in.time("modified", r.modified);
  if (const Document* cors = d.find("cors")) {
    UrlCors& out = r.cors.emplace();
    const RecordReader c(*cors);
    c.flag("credentials", out.allow_credentials);
    c.list("headers", out.allow_headers);
    c.list("methods", out.allow_methods);
    c.list("origins", out.allow_origins);
    c.list("expose", out.expose_headers);
    c.number("max_age", out.max_age);
  }
  return r;
}

}  // namespace

namespace store {

Result<std::optional<UrlRecord>> find_url(const View& view, const Owner& owner, uint64_t id,
                                          std::string_view qualifier) {
  VIRGA_TRY(bytes, view.get(urls(owner, id).text(qualifier)));
  if (!bytes) return std::optional<UrlRecord>();
  VIRGA_TRY(record, decode(*bytes));
  return std::optional(std::move(record));
}

void put_url(Txn& txn, const FunctionName& function, uint64_t id, const UrlRecord& record) {
  txn.put(urls(owner_of(function), id).text(record.qualifier), encode(record));
  Document target = Document::object();
  target.set("account", function.account)
      .set("region", function.region)
      .set("partition", function.partition);
  target.set("name", function.name)
      .set("qualifier", record.qualifier)
      .set("id", number_document(id));
  txn.put(target_key(record.url_id), finish_record(target));
}

void erase_url(Txn& txn, const Owner& owner, uint64_t id, const UrlRecord& record) {
  txn.allow_in_low_space();
  txn.erase(urls(owner, id).text(record.qualifier));
  txn.erase(target_key(record.url_id));
}

Result<std::vector<UrlRecord>> list_urls(const View& view, const Owner& owner, uint64_t id) {
  std::vector<UrlRecord> out;
  std::optional<AwsError> broken;
  const Key all = urls(owner, id);
  VIRGA_TRY_VOID(view.scan(all, all.range_end(), storage::Direction::forward,
                           [&](std::string_view, std::string_view value) {
                             auto record = decode(value);
                             if (!record) broken = record.error();
                             if (record) out.push_back(std::move(*record));
                             return !broken;
                           }));
  if (broken) return fail(*broken);
  return out;
}

Result<std::optional<UrlTarget>> find_url_target(const View& view, std::string_view url_id) {
  VIRGA_TRY(bytes, view.get(target_key(url_id)));
  if (!bytes) return std::optional<UrlTarget>();
  VIRGA_TRY(d, open_record(*bytes));
  UrlTarget out;
  const RecordReader in(d);
  in.text("account", out.function.account);
  in.text("region", out.function.region);
  in.text("partition", out.function.partition);
  in.text("name", out.function.name);
  in.text("qualifier", out.function.qualifier);
  in.number("id", out.function_id);
  return std::optional(std::move(out));
}

}  // namespace store
}  // namespace virga::lambda
