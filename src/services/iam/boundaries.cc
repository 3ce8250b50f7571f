#include "api/iam/delete_role_permissions_boundary.h"
#include "api/iam/delete_user_permissions_boundary.h"
#include "api/iam/put_role_permissions_boundary.h"
#include "api/iam/put_user_permissions_boundary.h"
#include "services/iam/errors.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"

namespace virga::iam {

Task<void> Service::set_boundary(Ctx ctx, Kind kind, std::string name, std::string arn) {
  co_await check_policy_arn_form(arn);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    VIRGA_TRY_VOID(check_boundary(iam, arn));
    e.boundary = arn;
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<void> Service::delete_boundary(Ctx ctx, Kind kind, std::string name) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    if (e.boundary.empty()) {
      const char* what = kind == Kind::user ? "user" : "role";
      return fail(errors::no_such_entity_text(std::string("The ") + what + " " + e.name +
                                              " does not have a permissions boundary."));
    }
    e.boundary.clear();
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<api::PutUserPermissionsBoundaryOutput> Service::put_user_permissions_boundary(
    Ctx ctx, api::PutUserPermissionsBoundaryInput input) {
  co_await set_boundary(ctx, Kind::user, input.user_name, input.permissions_boundary);
  co_return api::PutUserPermissionsBoundaryOutput();
}

Task<api::DeleteUserPermissionsBoundaryOutput> Service::delete_user_permissions_boundary(
    Ctx ctx, api::DeleteUserPermissionsBoundaryInput input) {
  co_await delete_boundary(ctx, Kind::user, input.user_name);
  co_return api::DeleteUserPermissionsBoundaryOutput();
}

Task<api::PutRolePermissionsBoundaryOutput> Service::put_role_permissions_boundary(
    Ctx ctx, api::PutRolePermissionsBoundaryInput input) {
  co_await set_boundary(ctx, Kind::role, input.role_name, input.permissions_boundary);
  co_return api::PutRolePermissionsBoundaryOutput();
}

Task<api::DeleteRolePermissionsBoundaryOutput> Service::delete_role_permissions_boundary(
    Ctx ctx, api::DeleteRolePermissionsBoundaryInput input) {
  co_await delete_boundary(ctx, Kind::role, input.role_name);
  co_return api::DeleteRolePermissionsBoundaryOutput();
}

}  // namespace virga::iam
