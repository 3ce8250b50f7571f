"""A service's model with its overlay, and what the generator has to know about it: which shapes become C++ structures,
which contain themselves, what each is called."""

import json
import os

import names

SCALARS = {
    "string": ("std::string", "string"),
    "character": ("std::string", "string"),
    "blob": ("std::string", "blob"),
    "boolean": ("bool", "boolean"),
    "byte": ("int32_t", "int32"),
    "short": ("int32_t", "int32"),
    "integer": ("int32_t", "int32"),
    "long": ("int64_t", "int64"),
    "bigInteger": ("int64_t", "int64"),
    "float": ("double", "real"),
    "double": ("double", "real"),
    "bigDecimal": ("double", "real"),
    "timestamp": ("::virga::Timestamp", "timestamp"),
}


class Operation:
    def __init__(self, name, raw, index):
        self.name, self.raw, self.index = name, raw, index
        self.snake = names.snake(name)
        self.input_shape = raw.get("input")
        self.output_shape = raw.get("output")
        self.input_cxx = self.output_cxx = None  # the structure's C++ name


class Model:
    def __init__(self, root, service):
        self.service = service
        with open(os.path.join(root, "models", service + ".json"), encoding="utf-8") as f:
            self.raw = json.load(f)
        self.overlay = {}
        overlay = os.path.join(root, "models", "overlays", service + ".json")
        if os.path.exists(overlay):
            with open(overlay, encoding="utf-8") as f:
                self.overlay = json.load(f)
        auth = os.path.join(root, "models", "overlays", service + ".auth.json")
        if os.path.exists(auth):
            with open(auth, encoding="utf-8") as f:
                self.overlay["auth"] = json.load(f)
            for name in self.overlay["auth"]:
                if name not in self.raw["operations"]:
                    raise SystemExit("%s: no operation called %s" % (auth, name))
        self.shapes = self.raw["shapes"]
        self.operations = [Operation(n, o, i) for i, (n, o) in enumerate(sorted(self.raw["operations"].items()))]
        self.attribute_values = service in ("dynamodb", "dynamodbstreams")
        self._apply_enum_order()
        self._apply_texts()
        self._apply_own_limits()
        self._apply_query()
        self._apply_errors()
        self._apply_optional()
        self._apply_statuses()
        self._name_structures()
        self._find_stored()
        self._order()

    # -- what a shape is -------------------------------------------------------------------------------------------
    def kind(self, name):
        shape = self.shapes[name]
        t = shape["type"]
        if t == "structure":
            if shape.get("document"):
                return "document"
            if shape.get("eventstream"):
                return "event_stream"
            if self.attribute_values and name == "AttributeValue":
                return "attribute_value"
            return "structure"
        if t == "map" and self.attribute_values and shape["value"]["shape"] == "AttributeValue":
            return "item"
        if t in ("list", "map"):
            return t
        if t == "blob" and shape.get("streaming"):
            return "byte_source"
        return SCALARS[t][1]

    def member_kind(self, ref):
        kind = self.kind(ref["shape"])
        return "byte_source" if kind == "blob" and ref.get("streaming") else kind

    def cxx(self, name):
        """The C++ type that holds a shape's value."""
        kind, shape = self.kind(name), self.shapes[name]
        if kind == "structure":
            return self.cxx_name[name]
        if kind == "list":
            element = self.cxx(shape["member"]["shape"])
            if element == "bool":
                raise SystemExit("%s.%s: std::vector<bool> has no elements to point at" % (self.service, name))
            return "std::vector<%s>" % element
        if kind == "map":
            return "std::map<std::string, %s>" % self.cxx(shape["value"]["shape"])
        if kind == "attribute_value":
            return "::virga::AttributeValue"
        if kind == "item":
            return "::virga::Item"
        if kind == "document":
            return "::virga::Document"
        return SCALARS[shape["type"]][0]

    def children(self, name):
        """References of a shape that are followed into other shapes."""
        kind, shape = self.kind(name), self.shapes[name]
        if kind in ("structure", "event_stream"):
            return list(shape.get("members", {}).values())
        if kind == "list":
            return [shape["member"]]
        if kind == "map":
            return [shape["key"], shape["value"]]
        return []

    def element_structure(self, name):
        """The structure inside a list or map (of lists or maps), or None."""
        kind, shape = self.kind(name), self.shapes[name]
        if kind == "list":
            return self.element_structure(shape["member"]["shape"])
        if kind == "map":
            return self.element_structure(shape["value"]["shape"])
        return name if kind == "structure" else None

    # -- passes ------------------------------------------------------------------------------------------------------
    def _apply_enum_order(self):
        for name, values in self.overlay.get("enum_order", {}).items():
            enum = self.shapes[name].get("enum")
            if enum is None or not set(values) <= set(enum):
                raise SystemExit("%s: enum_order of %s has values the model lacks" % (self.service, name))
            self.shapes[name]["enum"] = values + [v for v in enum if v not in values]

    def _apply_texts(self):
        """Timestamps that the service keeps and tells as they were written."""
        for name in self.overlay.get("texts", []):
            if self.shapes[name]["type"] != "timestamp":
                raise SystemExit("%s: texts: %s is no timestamp" % (self.service, name))
            self.shapes[name] = {"type": "string"}

    def _apply_own_limits(self):
        """Sizes that the service refuses in words of its own."""
        for name in self.overlay.get("own_limits", []):
            for limit in ("min", "max"):
                self.shapes[name].pop(limit, None)

    def _apply_query(self):
        """The query protocol of a service whose origin has forgotten it: names of list elements (a string), of map keys and
        values (two strings), of members (an object)."""
        names_of = self.overlay.get("query_names")
        if names_of is None:
            return
        if "query" not in self.raw["protocols"]:
            self.raw["protocols"].append("query")
        for name, wire in names_of.items():
            shape = self.shapes[name]
            if isinstance(wire, str):
                shape["member"]["locationName"] = wire
            elif isinstance(wire, list):
                shape["key"]["locationName"], shape["value"]["locationName"] = wire
            else:
                for member, query_name in wire.items():
                    shape["members"][member]["queryName"] = query_name

    def _apply_errors(self):
        """Codes and statuses that errors have in the query protocol, where the origin has lost them; and errors of the
        framework that no model lists."""
        for name, (code, status) in self.overlay.get("query_errors", {}).items():
            self.shapes[name].update(error_code=code, error_status=status, sender_fault=True)
        for name, (code, status) in self.overlay.get("common_errors", {}).items():
            if name in self.shapes:
                raise SystemExit("%s: the model has %s of its own" % (self.service, name))
            self.shapes[name] = {"type": "structure", "exception": True, "common": True, "error_code": code,
                                 "error_status": status, "sender_fault": status < 500,
                                 "members": {"message": {"shape": self.overlay["message_shape"]}}}

    def _apply_optional(self):
        """Members that the model calls required and the service does without."""
        for name, members in self.overlay.get("optional", {}).items():
            self.shapes[name]["required"] = [m for m in self.shapes[name]["required"] if m not in members]

    def _apply_statuses(self):
        """Operations whose good answers have one of several statuses: a member StatusCode of the output says which."""
        for name in self.overlay.get("statuses", []):
            output = self.shapes[self.raw["operations"][name]["output"]]
            self.shapes.setdefault("HttpStatus", {"type": "integer"})
            output["members"]["StatusCode"] = {"shape": "HttpStatus", "location": "statusCode"}

    def _name_structures(self):
        uses, inside = {}, set()
        for op in self.operations:
            for shape in (op.input_shape, op.output_shape):
                if shape:
                    uses[shape] = uses.get(shape, 0) + 1
        for name, shape in self.shapes.items():
            for ref in self.children(name):
                inside.add(ref["shape"])
        taken = {n for n, s in self.shapes.items() if s["type"] == "structure"}
        self.cxx_name = {n: n for n in taken}
        self.owner = {}  # shape -> the operation whose own input or output it is
        for op in self.operations:
            for role, shape in (("Input", op.input_shape), ("Output", op.output_shape)):
                wanted = op.name + role
                if shape and uses[shape] == 1 and shape not in inside and (wanted == shape or wanted not in taken):
                    self.cxx_name[shape] = wanted
                    self.owner[shape] = op
                elif not shape:
                    # Operations without a shape get an empty structure of their own.
                    shape = wanted
                    if shape in taken:
                        raise SystemExit("%s: %s is taken" % (self.service, wanted))
                    self.shapes[shape] = {"type": "structure", "members": {}}
                    self.cxx_name[shape] = wanted
                    self.owner[shape] = op
                if role == "Input":
                    op.input_shape, op.input_cxx = shape, self.cxx_name[shape]
                else:
                    op.output_shape, op.output_cxx = shape, self.cxx_name[shape]

    def _find_stored(self):
        """Shapes whose values exist in C++: all that inputs and outputs reach. The rest are errors' insides."""
        todo = [s for op in self.operations for s in (op.input_shape, op.output_shape)]
        self.stored = set()
        while todo:
            name = todo.pop()
            if name in self.stored:
                continue
            self.stored.add(name)
            todo += [r["shape"] for r in self.children(name)]
        self.tabled = set(self.stored)
        todo = [n for n, s in self.shapes.items() if s.get("exception")]
        self.errors = sorted(todo)
        while todo:
            name = todo.pop()
            if name in self.tabled:
                continue
            self.tabled.add(name)
            todo += [r["shape"] for r in self.children(name)]

    def is_struct(self, name):
        return self.kind(name) == "structure" or self.kind(name) == "event_stream"

    def _edges(self, name, by_value):
        out = []
        for ref in self.shapes[name].get("members", {}).values():
            target, kind = ref["shape"], self.kind(ref["shape"])
            if kind in ("structure", "event_stream"):
                out.append(target)
            elif kind in ("list", "map") and not by_value:
                inner = self.element_structure(target)
                if inner:
                    out.append(inner)
        return out

    def _components(self, nodes, by_value):
        """Strongly connected components, those that are contained first (Tarjan, iterative)."""
        index, low, stack, on, out, count = {}, {}, [], set(), [], 0
        for root in nodes:
            if root in index:
                continue
            work = [(root, iter(self._edges(root, by_value)))]
            index[root] = low[root] = count
            count += 1
            stack.append(root)
            on.add(root)
            while work:
                node, edges = work[-1]
                for to in edges:
                    if to not in index:
                        index[to] = low[to] = count
                        count += 1
                        stack.append(to)
                        on.add(to)
                        work.append((to, iter(self._edges(to, by_value))))
                        break
                    if to in on:
                        low[node] = min(low[node], index[to])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        component = []
                        while True:
                            top = stack.pop()
                            on.discard(top)
                            component.append(top)
                            if top == node:
                                break
                        out.append(component)
        return out

    def _order(self):
        structs = sorted(n for n in self.stored if self.is_struct(n))
        rank, self.value_group = {}, {}
        for i, component in enumerate(self._components(structs, True)):
            for name in component:
                rank[name] = (i, component.index(name))
                self.value_group[name] = i
        self.groups = []  # each: the structures of one header, in order of definition
        self.group_of = {}
        for component in self._components(structs, False):
            component.sort(key=lambda n: rank[n])
            self.groups.append(component)
            for name in component:
                self.group_of[name] = len(self.groups) - 1

    def boxed(self, struct, ref):
        """True when a member would contain its own structure by value."""
        return self.kind(ref["shape"]) == "structure" and self.value_group[struct] == self.value_group[ref["shape"]]

    def header(self, name):
        """The header that defines a stored structure."""
        group = self.groups[self.group_of[name]]
        if len(group) == 1 and name in self.owner:
            return "%s.h" % self.owner[name].snake
        return "shapes/%s.h" % names.snake(self.cxx_name[group[0]])
