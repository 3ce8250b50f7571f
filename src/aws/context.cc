#include "aws/context.h"

namespace virga {

std::string Endpoint::url() const {
  const bool v6 = host.find(':') != std::string::npos;
  return scheme + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string_view partition_of(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  if (region.starts_with("us-isob-")) return "aws-iso-b";
  if (region.starts_with("us-isof-")) return "aws-iso-f";
  if (region.starts_with("eu-isoe-")) return "aws-iso-e";
  if (region.starts_with("us-iso-")) return "aws-iso";
  if (region.starts_with("eusc-")) return "aws-eusc";
  return "aws";
}

std::string make_arn(const RequestContext& context, std::string_view service,
                     std::string_view resource) {
  std::string arn = "arn:";
  arn += context.partition;
  arn += ':';
  arn += service;
  arn += ':';
  arn += context.region;
  arn += ':';
  arn += context.account;
  arn += ':';
  arn += resource;
  return arn;
}

}  // namespace virga
