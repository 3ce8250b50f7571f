#pragma once

namespace virga::server {

// `virga doctor`: what this machine allows (namespaces, cgroups, interpreters, the disk's sync
// latency). Prints to stdout; returns 0 when functions can run isolated, 1 otherwise.
int doctor();

}  // namespace virga::server
