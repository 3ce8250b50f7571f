#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "aws/operation.h"
#include "base/document.h"

namespace virga::aws::testing {

// A service model loaded at run time into the same descriptor tables that generated code has, so
// that wire cases run through the production codecs. Tests only. The model owns the tables; it
// outlives every StructBox made with them.
class DynamicModel {
 public:
  // `metadata`, `shapes`, `operation` in botocore's form; errors of the operation are modelled too.
  DynamicModel(const Document& metadata, const Document& shapes, const Document& operation);
  DynamicModel(const DynamicModel&) = delete;

  const ServiceDesc& service() const { return service_; }
  const OperationDesc& operation() const { return operation_; }

 private:
  std::string_view keep(std::string_view text);
  const XmlNamespace* xml_namespace(const Document* raw);
  const StructDesc* structure(const std::string& name);
  const TypeDesc* type(const std::string& shape, const Document* ref);
  void fill_type(TypeDesc& out, const std::string& shape, const Document* ref);
  void fill_structure(StructDesc& out, const std::string& name);
  MemberDesc member(const Document& shape, const std::string& name, const Document& ref,
                    uint32_t& size);
  void add_errors(const Document& operation);

  const Document& shapes_;
  std::deque<std::string> texts_;
  std::deque<XmlNamespace> namespaces_;
  std::deque<StructDesc> structures_;
  std::deque<TypeDesc> types_;
  std::deque<std::vector<MemberDesc>> members_;
  std::map<std::string, const StructDesc*, std::less<>> structure_of_;
  std::map<std::string, const TypeDesc*, std::less<>> type_of_;
  std::deque<ErrorDesc> errors_;
  std::vector<const ErrorDesc*> error_list_;
  std::vector<Protocol> protocols_;
  OperationDesc operation_;
  ServiceDesc service_;
};

}  // namespace virga::aws::testing
