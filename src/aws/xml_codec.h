#pragma once

#include "aws/member_set.h"
#include "aws/xml.h"

// XML of restXml requests and answers and of query answers. Source of the shapes: AWS restXml and
// awsQuery protocol pages of the Smithy documentation; botocore reads and writes them so.
namespace virga::aws {

// Reads the members of a structure that are in the body (all of them below the top) from an
// element.
Result<void> read_xml_struct(const XmlNode& node, const StructDesc& shape, void* object,
                             const DecodePath* at, MemberSet& seen, DecodeNotes& notes,
                             Members members = Members::body_only);
Result<void> read_xml_value(const XmlNode& node, const TypeDesc& type, void* value,
                            const DecodePath* at, DecodeNotes& notes);

// Writes the body members; attributes of the structure itself must have been written on the open
// tag.
void write_xml_members(XmlWriter& writer, const StructDesc& shape, const void* object);
void write_xml_attributes(XmlWriter& writer, const StructDesc& shape, const void* object);
// One element with the value in it.
void write_xml_element(XmlWriter& writer, std::string_view name, const XmlNamespace* ns,
                       const TypeDesc& type, const void* value);
void write_xml_namespace(XmlWriter& writer, const XmlNamespace* ns);

}  // namespace virga::aws
