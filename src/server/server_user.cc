#include "server/server_user.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "sandbox/fd.h"

namespace virga::server {
namespace {

constexpr int kFirstFreePort = 1024;  // below it only root may listen (ip(7))

std::unexpected<AwsError> refused(std::string message) {
  return fail(AwsError{.code = "Usage", .http_status = 400, .message = std::move(message)});
}

// `text` is NAME or NAME:GROUP; either may be a number.
Result<sandbox::ServerUser> find_user(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto number = parse_int(name);
  const passwd* found = ::getpwnam(name.c_str());
  if (found == nullptr && number && *number >= 0 && *number < UINT32_MAX)
    found = ::getpwuid(static_cast<uid_t>(*number));
  if (found == nullptr) return refused("--user: there is no user '" + name + "'");
  sandbox::ServerUser user{.uid = found->pw_uid, .gid = found->pw_gid};
  int count = 64;
  user.groups.resize(static_cast<size_t>(count));
  if (::getgrouplist(found->pw_name, found->pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<size_t>(count));  // as many as there are
    ::getgrouplist(found->pw_name, found->pw_gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<size_t>(count));
  if (colon == std::string::npos) return user;
  const std::string group_name = text.substr(colon + 1);
  const auto group_number = parse_int(group_name);
  const group* group = ::getgrnam(group_name.c_str());
  if (group == nullptr && group_number && *group_number >= 0 && *group_number < UINT32_MAX)
    group = ::getgrgid(static_cast<gid_t>(*group_number));
  if (group == nullptr) return refused("--user: there is no group '" + group_name + "'");
  user.gid = group->gr_gid;
  return user;
}

bool is_empty(int folder) {
  DIR* const entries = ::fdopendir(::dup(folder));
  if (entries == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    empty = empty && (name == "." || name == "..");
  }
  ::closedir(entries);
  return empty;
}

Result<void> hand_over(const std::string& folder, const sandbox::ServerUser& user,
                       const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path path = fs::absolute(folder, error).lexically_normal();
  fs::create_directories(path.parent_path(), error);
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST)
    return refused("cannot make the data folder " + path.string() + ": " + strerror(errno));
  // The folder itself, looked up once: a link in its place would give away what it leads to.
  const sandbox::Fd opened{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat info{};
  if (opened.get() < 0 || ::fstat(opened.get(), &info) != 0)
    return refused("the data folder " + path.string() + " is a link, or not a folder");
  if (info.st_uid == user.uid) return {};
  if (!made && !is_empty(opened.get())) {
    return refused("the data folder " + path.string() + " has files of user " +
                   std::to_string(info.st_uid) + ": give it to --user first, with chown -R " +
                   name + " " + path.string());
  }
  if (::fchown(opened.get(), user.uid, user.gid) != 0)
    return refused("cannot give " + path.string() + " to " + name + ": " + strerror(errno));
  return {};
}

}  // namespace

Result<std::optional<sandbox::ServerUser>> server_user(const ServeOptions& options) {
  if (options.user.empty()) return std::nullopt;
  VIRGA_TRY(user, find_user(options.user));
  if (user.uid == ::geteuid()) return std::nullopt;
  if (::geteuid() != 0) return refused("--user " + options.user + " needs to be started by root");
  user.low_ports =
      std::any_of(options.listen.begin(), options.listen.end(), [](const ListenAddress& address) {
        return address.port > 0 && address.port < kFirstFreePort;
      });
  if (!options.memory) VIRGA_TRY_VOID(hand_over(options.data_dir, user, options.user));
  return user;
}

}  // namespace virga::server
