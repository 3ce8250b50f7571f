// The account's users and their credentials as CSV. Source: IAM User Guide, "Get credential reports
// for your AWS account"; IAM API Reference, GenerateCredentialReport and GetCredentialReport.
#include "api/iam/generate_credential_report.h"
#include "api/iam/get_credential_report.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"
#include "services/iam/support.h"
#include "services/iam/user_credentials.h"

namespace virga::iam {
namespace {

// A report is made anew when the last one is older.
constexpr int64_t kFreshSeconds = 4 * 3600;

constexpr std::string_view kHeader =
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
constexpr size_t kKeysMax = 2;
constexpr size_t kCertificatesMax = 2;

// "2026-03-01T12:00:00+00:00"
std::string time_text(Timestamp t) {
  std::string text = format_iso8601(Timestamp::from_seconds(t.seconds()));
  text.pop_back();
  return text + "+00:00";
}

// The columns of both access keys; their use is not recorded.
Result<std::string> key_columns(const storage::View& view, const std::vector<std::string>& ids) {
  std::string out;
  for (size_t i = 0; i < kKeysMax; ++i) {
    std::optional<AccessKeyRecord> key;
    if (i < ids.size()) {
      VIRGA_TRY(found, find_access_key(view, ids[i]));
      key = std::move(found);
    }
    out += key && key->active ? ",true," : ",false,";
    out += key ? time_text(key->created) : "N/A";
    out += ",N/A,N/A,N/A";
  }
  return out;
}

// The columns of both signing certificates.
Result<std::string> certificate_columns(const IamReader& iam, const Entity& e) {
  VIRGA_TRY(own, credentials_of(iam, DocumentKind::signing_certificate, e));
  std::string out;
  for (size_t i = 0; i < kCertificatesMax; ++i) {
    const bool there = i < own.size();
    out += there && text_member(own[i], "status") == "Active" ? ",true," : ",false,";
    out += there ? time_text(time_member(own[i], "created")) : "N/A";
  }
  return out;
}

Result<std::string> row_of(const RequestContext& context, const storage::View& view,
                           const Entity& e) {
  const IamReader iam(view, context.account);
  VIRGA_TRY(devices, credentials_of(iam, DocumentKind::mfa_device, e));
  const std::string mfa = devices.empty() ? ",false" : ",true";
  const bool root = e.kind == Kind::root;
  std::string row = root ? "<root_account>" : e.name;
  row += ",";
  row += root ? "arn:" + context.partition + ":iam::" + context.account + ":root"
              : entity_arn(context.partition, context.account, e);
  row += "," + time_text(e.created);
  if (root) {
    row += ",not_supported,no_information,not_supported,not_supported,false";
  } else if (e.login.empty()) {
    row += ",false,N/A,N/A,N/A" + mfa;
  } else {
    row += ",true,no_information," + time_text(e.login_created) + ",N/A" + mfa;
  }
  VIRGA_TRY(keys, key_columns(view, e.access_keys));
  if (root) return row + keys + ",false,N/A,false,N/A";
  VIRGA_TRY(certificates, certificate_columns(iam, e));
  return row + keys + certificates;
}

}  // namespace

Task<api::GenerateCredentialReportOutput> Service::generate_credential_report(
    Ctx ctx, api::GenerateCredentialReportInput input) {
  const bool fresh = co_await write(ctx, [&](IamWriter& iam) -> Result<bool> {
    VIRGA_TRY(last, iam.find_document(DocumentKind::credential_report, ""));
    if (last && last->find("made")->as_int() > ctx->now.at.micros - kFreshSeconds * 1'000'000)
      return true;
    std::string report(kHeader);
    VIRGA_TRY(found, iam.find_entity(Kind::root, ""));
    Entity root = found.value_or(Entity{});
    root.kind = Kind::root;
    VIRGA_TRY(root_row, row_of(*ctx, iam.txn(), root));
    report += "\n" + root_row;
    Result<void> written;
    VIRGA_TRY_VOID(iam.each_entity(Kind::user, "", [&](Entity&& user) {
      const auto row = row_of(*ctx, iam.txn(), user);
      if (!row) written = fail(row.error());
      if (row) report += "\n" + *row;
      return row.has_value();
    }));
    VIRGA_TRY_VOID(written);
    Document d = Document::object();
    d.set("made", ctx->now.at.micros).set("report", report);
    iam.put_document(DocumentKind::credential_report, "", d);
    return false;
  });
  api::GenerateCredentialReportOutput output;
  output.state = fresh ? "COMPLETE" : "STARTED";
  if (!fresh) output.description = "No report exists. Starting a new report generation task";
  co_return output;
}

Task<api::GetCredentialReportOutput> Service::get_credential_report(
    Ctx ctx, api::GetCredentialReportInput input) {
  const auto report = co_await read(ctx, [](const IamReader& iam) {
    return iam.find_document(DocumentKind::credential_report, "");
  });
  if (!report) {
    co_return fail("CredentialReportNotPresentException", 410,
                   "No report exists. Call GenerateCredentialReport to make one.");
  }
  const Timestamp made{report->find("made")->as_int()};
  if (made.micros <= ctx->now.at.micros - kFreshSeconds * 1'000'000) {
    co_return fail("CredentialReportExpiredException", 410,
                   "The report has expired. Call GenerateCredentialReport to make a new one.");
  }
  api::GetCredentialReportOutput output;
  output.content = std::string(report->string_or("report", ""));
  output.report_format = "text/csv";
  output.generated_time = made;
  co_return output;
}

}  // namespace virga::iam
