#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/options.h"

namespace virga::server {

// The ports at which functions find the platform on 127.0.0.1 and ::1 inside their sandbox: 4566
// and the server's own.
std::vector<uint16_t> platform_ports(const ServeOptions& options);

// Where deployment packages are unpacked so that sandboxes can read them: in the data folder;
// without one, or where others may not enter it and functions run without namespaces, in a folder
// of this process, which goes with it. Absolute, without symbolic links.
struct CodeFolderPlace {
  std::string path;
  bool temporary = false;
};
CodeFolderPlace code_folder(const ServeOptions& options);

// The folder of the JavaScript SDK that Node functions find (node_modules): VIRGA_NODE_SDK, else
// beside the binary's build tree (runtimes/node/sdk), else /usr/lib/virga/node_modules; empty when
// there is none.
std::string node_sdk_folder();

}  // namespace virga::server
