// Virtual MFA devices. Source: IAM API Reference, the pages of these operations; IAM User Guide,
// "Assign a virtual MFA device in the AWS CLI or AWS API".
#include <algorithm>

#include "api/iam/create_virtual_mfa_device.h"
#include "api/iam/deactivate_mfa_device.h"
#include "api/iam/delete_virtual_mfa_device.h"
#include "api/iam/enable_mfa_device.h"
#include "api/iam/get_mfa_device.h"
#include "api/iam/list_mfa_device_tags.h"
#include "api/iam/list_mfa_devices.h"
#include "api/iam/list_virtual_mfa_devices.h"
#include "api/iam/resync_mfa_device.h"
#include "api/iam/shapes/mfa_device.h"
#include "api/iam/shapes/virtual_mfa_device.h"
#include "api/iam/tag_mfa_device.h"
#include "api/iam/untag_mfa_device.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"
#include "services/iam/support.h"
#include "services/iam/totp.h"
#include "services/iam/user_credentials.h"

namespace virga::iam {
namespace {

constexpr size_t kDevicesPerUser = 8;  // IAM User Guide, "IAM and AWS STS quotas"
constexpr size_t kSeedBytes = 40;      // 64 characters of base32

// A device without a user_id is not assigned.
bool is_assigned(const Document& device) {
  return !device.string_or("user_id", "").empty();
}

AwsError no_such_device(const std::string& serial) {
  return errors::no_such_entity_text("VirtualMFADevice with serial number " + serial +
                                     " doesn't exist.");
}

Result<Document> find_device(const IamReader& iam, const std::string& serial) {
  VIRGA_TRY(found,
            iam.find_document(DocumentKind::mfa_device, serial.substr(serial.rfind('/') + 1)));
  if (!found || found->string_or("id", "") != serial) return fail(no_such_device(serial));
  return std::move(*found);
}

void put_device(IamWriter& iam, const Document& device) {
  iam.put_document(DocumentKind::mfa_device, device.string_or("name", ""), device);
}

// The device, if it is this user's.
Result<Document> device_of(const IamReader& iam, const Entity& user, const std::string& serial) {
  VIRGA_TRY(device, find_device(iam, serial));
  if (device.string_or("user_id", "") != user.id) return fail(no_such_device(serial));
  return std::move(device);
}

}  // namespace

// Open mode takes any codes, as it takes any secret; that they are six digits, the model has
// checked.
Result<void> Service::check_codes(Ctx ctx, const Document& device, const std::string& first,
                                  const std::string& second) const {
  if (mode_ == platform::AuthMode::open) return {};
  const std::string seed = from_base64(device.string_or("seed", "")).value_or("");
  if (are_consecutive_codes(seed, first, second, ctx->env->wall.now().at.seconds())) return {};
  return fail("InvalidAuthenticationCodeException", 403,
              "Authentication code for device is not valid.");
}

Task<api::CreateVirtualMFADeviceOutput> Service::create_virtual_mfa_device(
    Ctx ctx, api::CreateVirtualMFADeviceInput input) {
  const std::string path = input.path.value_or("/");
  const std::string& name = input.virtual_mfa_device_name;
  const std::string serial =
      "arn:" + ctx->partition + ":iam::" + ctx->account + ":mfa" + path + name;
  const std::string seed = secure_random_bytes(kSeedBytes);
  TagList tags;
  if (input.tags) co_await add_tags(tags, *input.tags, "TagsPerMfaDevice");
  Document device = Document::object();
  device.set("id", serial).set("name", name).set("seed", to_base64(seed));
  device.set("created", ctx->now.at.micros).set("tags", tags_document(tags));
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(taken, iam.find_document(DocumentKind::mfa_device, name));
    if (taken) {
      return fail(errors::already_exists_text(
          "MFADevice entity at the same path and name already exists."));
    }
    put_device(iam, device);
    return {};
  });
  api::CreateVirtualMFADeviceOutput output;
  output.virtual_mfa_device.serial_number = serial;
  output.virtual_mfa_device.base32_string_seed = to_base32(seed);
  if (!tags.empty()) output.virtual_mfa_device.tags = to_tags(tags);
  co_return output;
}

Task<api::DeleteVirtualMFADeviceOutput> Service::delete_virtual_mfa_device(
    Ctx ctx, api::DeleteVirtualMFADeviceInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(device, find_device(iam, input.serial_number));
    if (is_assigned(device))
      return fail(errors::delete_conflict("MFA VirtualDevice in use. Must deactivate first."));
    iam.txn().allow_in_low_space();
    iam.erase_document(DocumentKind::mfa_device, device.string_or("name", ""));
    return {};
  });
  co_return api::DeleteVirtualMFADeviceOutput();
}

Task<api::EnableMFADeviceOutput> Service::enable_mfa_device(Ctx ctx,
                                                            api::EnableMFADeviceInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    VIRGA_TRY(device, find_device(iam, input.serial_number));
    if (is_assigned(device))
      return fail(errors::already_exists_text("MFA Device is already in use."));
    VIRGA_TRY(own, credentials_of(iam, DocumentKind::mfa_device, user));
    if (own.size() >= kDevicesPerUser)
      return fail(errors::limit_exceeded("Cannot exceed quota for MFADevicesPerUser: 8"));
    VIRGA_TRY_VOID(
        check_codes(ctx, device, input.authentication_code1, input.authentication_code2));
    device.set("user_id", user.id).set("enabled", ctx->now.at.micros);
    put_device(iam, device);
    return {};
  });
  co_return api::EnableMFADeviceOutput();
}

Task<api::ResyncMFADeviceOutput> Service::resync_mfa_device(Ctx ctx,
                                                            api::ResyncMFADeviceInput input) {
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    VIRGA_TRY(device, device_of(iam, user, input.serial_number));
    return check_codes(ctx, device, input.authentication_code1, input.authentication_code2);
  });
  co_return api::ResyncMFADeviceOutput();
}

Task<api::DeactivateMFADeviceOutput> Service::deactivate_mfa_device(
    Ctx ctx, api::DeactivateMFADeviceInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, credential_owner(*ctx, iam, input.user_name));
    VIRGA_TRY(device, device_of(iam, user, input.serial_number));
    device.set("user_id", "");
    put_device(iam, device);
    return {};
  });
  co_return api::DeactivateMFADeviceOutput();
}

Task<api::GetMFADeviceOutput> Service::get_mfa_device(Ctx ctx, api::GetMFADeviceInput input) {
  api::GetMFADeviceOutput output;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(user, credential_owner(*ctx, iam, input.user_name));
    VIRGA_TRY(device, device_of(iam, user, input.serial_number));
    output.user_name = user.name;
    output.serial_number = input.serial_number;
    output.enable_date = time_member(device, "enabled");
    return {};
  });
  co_return output;
}

Task<api::ListMFADevicesOutput> Service::list_mfa_devices(Ctx ctx, api::ListMFADevicesInput input) {
  std::vector<api::MFADevice> all;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(user, listed_owner(*ctx, iam, input.user_name));
    if (!user) return {};
    VIRGA_TRY(own, credentials_of(iam, DocumentKind::mfa_device, *user));
    for (const Document& device : own) {
      auto& entry = all.emplace_back();
      entry.user_name = user->name;
      entry.serial_number = text_member(device, "id");
      entry.enable_date = time_member(device, "enabled");
    }
    return {};
  });
  const auto key = [](const api::MFADevice& d) { return d.serial_number; };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  api::ListMFADevicesOutput output;
  output.mfa_devices = co_await page_of(all, input.marker, input.max_items, output, key);
  co_return output;
}

Task<api::ListVirtualMFADevicesOutput> Service::list_virtual_mfa_devices(
    Ctx ctx, api::ListVirtualMFADevicesInput input) {
  const std::string wanted = input.assignment_status.value_or("Any");
  std::vector<api::VirtualMFADevice> all;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    std::map<std::string, api::User> users;
    VIRGA_TRY_VOID(iam.each_entity(Kind::user, "", [&](Entity&& e) {
      users.emplace(e.id, to_user(*ctx, e, Detail::listed));
      return true;
    }));
    return iam.each_document(DocumentKind::mfa_device, [&](Document&& device) {
      const bool assigned = is_assigned(device);
      if (wanted != "Any" && (wanted == "Assigned") != assigned) return;
      auto& entry = all.emplace_back();
      entry.serial_number = text_member(device, "id");
      if (!assigned) return;
      entry.enable_date = time_member(device, "enabled");
      const auto user = users.find(text_member(device, "user_id"));
      if (user != users.end()) entry.user = user->second;
    });
  });
  const auto key = [](const api::VirtualMFADevice& d) { return d.serial_number; };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  api::ListVirtualMFADevicesOutput output;
  output.virtual_mfa_devices = co_await page_of(all, input.marker, input.max_items, output, key);
  co_return output;
}

Task<api::TagMFADeviceOutput> Service::tag_mfa_device(Ctx ctx, api::TagMFADeviceInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(device, find_device(iam, input.serial_number));
    TagList tags = tags_of(device);
    VIRGA_TRY_VOID(add_tags(tags, input.tags, "TagsPerMfaDevice"));
    device.set("tags", tags_document(tags));
    put_device(iam, device);
    return {};
  });
  co_return api::TagMFADeviceOutput();
}

Task<api::UntagMFADeviceOutput> Service::untag_mfa_device(Ctx ctx, api::UntagMFADeviceInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(device, find_device(iam, input.serial_number));
    TagList tags = tags_of(device);
    remove_tags(tags, input.tag_keys);
    device.set("tags", tags_document(tags));
    put_device(iam, device);
    return {};
  });
  co_return api::UntagMFADeviceOutput();
}

Task<api::ListMFADeviceTagsOutput> Service::list_mfa_device_tags(
    Ctx ctx, api::ListMFADeviceTagsInput input) {
  const auto device = co_await read(
      ctx, [&](const IamReader& iam) { return find_device(iam, input.serial_number); });
  TagList tags = tags_of(device);
  std::sort(tags.begin(), tags.end());
  api::ListMFADeviceTagsOutput output;
  const auto page = co_await page_of(tags, input.marker, input.max_items, output,
                                     [](const auto& tag) { return tag.first; });
  output.tags = to_tags(page);
  co_return output;
}

}  // namespace virga::iam
