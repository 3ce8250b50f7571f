#include "services/dynamodb/partiql.h"

#include "api/dynamodb/batch_execute_statement.h"
#include "api/dynamodb/execute_statement.h"
#include "api/dynamodb/execute_transaction.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

Result<partiql::Statement> parse(std::string_view text,
                                 const std::vector<AttributeValue>& parameters = {}) {
  return partiql::parse_statement(text, parameters);
}
std::string refusal(std::string_view text) {
  const auto got = parse(text);
  return got ? "" : got.error().message;
}

TEST(PartiqlParser, takes_statements_apart) {
  const auto select = parse(
      R"(select a, "b c".d[2]['e'] FROM "t-1"."i" Where a = 1 and (b <> 'it''s' or not c in [1, 2]) order by a desc;)");
  ASSERT_TRUE(select.has_value()) << select.error().message;
  EXPECT_EQ(select->table, "t-1");
  EXPECT_EQ(select->index, "i");
  ASSERT_EQ(select->projection.size(), 2u);
  EXPECT_EQ(path_text(select->projection[1].path), "[b c, d, [2], e]");
  EXPECT_EQ(select->projection[1].name, "e");
  ASSERT_EQ(select->where->children.size(), 2u);
  EXPECT_EQ(select->where->children[1].children[0].operands[1].value.payload(), "it's");
  EXPECT_TRUE(select->order[0].descending);

  const auto insert = parse(
      R"(INSERT INTO tab VALUE {'s': 'x', 'n': -1.50, 'l': [1, [true]], 'm': {'k': null}, 'ss': <<'a', 'b'>>, 'p': ?})",
      {AttributeValue::number(7)});
  ASSERT_TRUE(insert.has_value()) << insert.error().message;
  EXPECT_EQ(insert->item.find("n")->payload(), "-1.5");
  EXPECT_EQ(insert->item.find("ss")->type(), AttributeType::string_set);
  EXPECT_EQ(insert->item.find("p")->payload(), "7");

  const auto update = parse(
      "UPDATE tab SET a = a + 1 SET b = list_append(b, [2]), c = set_add(c, <<1>>) REMOVE d.e[0] "
      "WHERE k = 1 RETURNING MODIFIED NEW *");
  ASSERT_TRUE(update.has_value()) << update.error().message;
  EXPECT_EQ(update->update.actions.size(), 4u);
  EXPECT_EQ(update->update.actions[2].kind, UpdateAction::Kind::add);
  EXPECT_EQ(update->returning, partiql::Statement::Returning::modified_new);
}

TEST(PartiqlParser, refuses_in_the_services_words) {
  EXPECT_EQ(refusal("CREATE TABLE t"),
            "Statement wasn't well formed, can't be processed: Expected data manipulation");
  EXPECT_EQ(refusal(""),
            "Statement wasn't well formed, can't be processed: Expected data manipulation");
  EXPECT_EQ(refusal("SELECT * FROM tab WHERE a = ?"),
            "Number of parameters in request and statement don't match.");
  EXPECT_THAT(refusal("SELECT * FROM tab WHERE"), testing::HasSubstr("Unexpected term"));
  EXPECT_THAT(refusal("SELECT * FROM tab-x"),
              testing::HasSubstr("Unexpected token after expression"));
  EXPECT_THAT(refusal("SELECT *, a FROM tab"), testing::HasSubstr("when '*' is used"));
  EXPECT_THAT(refusal("SELECT * FROM tab WHERE a = 'x"), testing::HasSubstr("wasn't well formed"));
  EXPECT_THAT(refusal("INSERT INTO tab VALUE {'a': 1, 'a': 2}"), testing::HasSubstr("Duplicate"));
  EXPECT_THAT(refusal("INSERT INTO tab VALUE {'a': <<1, 1>>}"),
              testing::HasSubstr("contains duplicates"));
  EXPECT_EQ(parse("SELECT * FROM tab", {AttributeValue::number(1)}).error().message,
            "Number of parameters in request and statement don't match.");
}

TEST(PartiqlParser, names_what_the_language_leaves_out) {
  const std::pair<const char*, const char*> kRefused[] = {
      {"SELECT COUNT(*) FROM tab", "Unexpected path component at 1:8:5"},
      {"SELECT a, size(b) FROM tab", "Unexpected path component at 1:11:4"},
      {"SELECT * FROM tab t", "Aliasing is not supported"},
      {"SELECT t.a FROM tab AS t WHERE t.a = 1", "Aliasing is not supported"},
      {"SELECT a AS b FROM tab", "Aliasing is not supported"},
      {"UPDATE tab t SET a = 1 WHERE b = 1", "Aliasing is not supported"},
      {"SELECT * FROM tab, tac", "Only select from a single table or index is supported."},
      {"SELECT * FROM tab LEFT JOIN tac", "Only select from a single table or index is supported."},
      {"SELECT a, b.a FROM tab", "Duplicate identifiers in select clause: a"},
      {"SELECT VALUE a FROM tab", "Select projection doesn't support value or pivot keywords"},
      {"SELECT a[*] FROM tab", "Wildcard path component like a[*].b are not supported at 1:10:1"},
      {"SELECT a.* FROM tab", "Unpivot path component like a.*.b are not supported at 1:10:1"},
      {"SELECT * FROM tab LIMIT 10", "Unsupported clause: LIMIT at 1:25:2"},
      {"SELECT * FROM tab WHERE a = 1 ORDER BY b DESC LIMIT 1",
       "Unsupported clause: LIMIT at 1:53:1"},
      {"SELECT * FROM tab GROUP BY a", "Unsupported clause: GROUP BY"},
      {"SELECT DISTINCT a FROM tab", "Unsupported token in expression: DISTINCT"},
      {"SELECT * FROM (SELECT * FROM tab)", "Unexpected from source"},
      {"INSERT INTO tab.idx VALUE {'a': 1}",
       "FROM clause may only contain a single table name in data manipulation statements at "
       "1:13:3"},
      {"INSERT INTO tab VALUE {'a': 1, 'a': 2}",
       "Duplicate keys in tuple. Key: a under root at 1:32:3"},
      {"INSERT INTO tab VALUE {'a': [0, {'b': 1, 'b': 2}]}",
       "Duplicate keys in tuple. Key: b under root[1] at 1:42:3"},
      {"INSERT INTO tab VALUE {'a': {'b': 1e200}}",
       "Number overflow. Attempting to store a number with magnitude larger than supported range "
       "under root.b"},
      {"SELECT * FROM tab WHERE a = 1e200",
       "Number overflow. Attempting to store a number with magnitude larger than supported range "
       "under root"},
      {"SELECT * FROM tab WHERE a = 1 ORDER BY a.b",
       "Argument to ORDER BY must be of type VariableReference. Type: Path"},
      {"SELECT * FROM tab WHERE a",
       "WHERE clause must contain an expression that resolves to a boolean"},
      {"SELECT * FROM tab WHERE NOT a", "The argument to NOT must be a Type or Expression"},
      {"SELECT * FROM tab WHERE a AND b = 1", "The arguments to AND/OR must be Expressions"},
      {"SELECT * FROM tab WHERE a = MISSING", "MISSING must be compared using IS operator"},
      {"SELECT * FROM tab WHERE a IN []",
       "IN operator must have a left hand argument of type Variable Reference and right hand "
       "argument "
       "of type Seq with at least one member"},
      {"SELECT * FROM tab WHERE a IS DECIMAL",
       "Unsupported data type for IS operator: DECIMAL. Supported data types are [MISSING, NULL, "
       "BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]"},
      {"SELECT 1 FROM tab", "Unexpected path component at 1:8:1"},
      {"SELECT * FROM tab WHERE a LIKE 'b%'",
       "Unsupported operator in Condition Expression. Operator: like"},
      {"SELECT * FROM tab WHERE Foo(a, 1)", "Unrecognized function: foo at 1:25:3"},
      {"SELECT * FROM tab WHERE begins_with(a)",
       "Incorrect number of operands for operator or function; operator or function: begins_with, "
       "number of operands: 1"},
      {"SELECT * FROM tab WHERE attribute_type(a, 'X')",
       "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
      {"SELECT * FROM ta",
       "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', "
       "'_', '.'."},
      {"INSERT INTO tab VALUES (1, 2)",
       "Unsupported operation: Inserting multiple items in a single statement is not supported, "
       "use "
       "\"INSERT INTO tableName VALUE item\" instead"},
      {"INSERT INTO tab VALUE 1",
       "Unsupported format in item expression. Please use struct format {...} to express item "
       "values "
       "for insert statement. at 1:23:1"},
      {"INSERT INTO tab VALUE {'a': 1} RETURNING ALL OLD *",
       "RETURNING is not supported in INSERT"},
      {"INSERT INTO tab VALUE {'a': <<>>}", "Empty bags are not supported at 1:29:2"},
      {"INSERT INTO tab VALUE {'a': <<true>>}",
       "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags at "
       "1:31:4"},
      {"INSERT INTO tab VALUE {'a': <<1, 'b'>>}",
       "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"},
      {"DELETE FROM tab WHERE a = 1 RETURNING ALL NEW *",
       "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in "
       "DELETE "
       "statements."},
      {"DELETE FROM tab WHERE a = 1 RETURNING ALL OLD a",
       "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause"},
      {"UPDATE tab SET a = set_add(b, <<1>>) WHERE k = 1",
       "The first argument to SET_ADD must equal the assignment value at 1:28:1"},
      {"UPDATE tab SET a = set_delete(a, 1) WHERE k = 1",
       "The second argument to SET_DELETE must be a value with type SET at 1:34:1"},
  };
  for (const auto& [text, message] : kRefused) EXPECT_EQ(refusal(text), message) << text;
}

TEST(PartiqlParser, knows_types_and_functions_of_paths) {
  for (const char* text :
       {"SELECT * FROM tab WHERE a IS STRING AND b IS NOT NUMERIC",
        "SELECT value FROM tab WHERE attribute_exists(a.b) OR attribute_not_exists(c)",
        "SELECT * FROM tab WHERE a IN <<1, 2>>"}) {
    EXPECT_EQ(refusal(text), "") << text;
  }
}

TEST(PartiqlParser, bounds_its_depth) {
  EXPECT_FALSE(refusal("SELECT * FROM tab WHERE " + std::string(4000, '(') + "a = 1").empty());
  EXPECT_FALSE(refusal("INSERT INTO tab VALUE {'a': " + std::string(4000, '[')).empty());
  EXPECT_EQ(
      refusal("SELECT * FROM tab WHERE " + std::string(20, '(') + "a = 1" + std::string(20, ')')),
      "");
}

struct Statements : Dynamo {
  Statements() { create("notes", true); }
  Result<api::ExecuteStatementOutput> run(const std::string& text,
                                          const std::string& parameter = "") {
    api::ExecuteStatementInput input;
    input.statement = text;
    if (!parameter.empty())
      input.parameters = std::vector<AttributeValue>{AttributeValue::string(parameter)};
    return call(&Service::execute_statement, std::move(input));
  }
  std::vector<std::string> ranges(const std::string& where) {
    std::vector<std::string> out;
    const auto got = run("SELECT * FROM notes " + where);
    EXPECT_TRUE(got.has_value()) << (got ? "" : got.error().message);
    if (!got) return out;
    for (const auto& item : *got->items) out.emplace_back(item.find("r")->payload());
    return out;
  }
  void fill() {
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(run("INSERT INTO notes VALUE {'id': ?, 'r': " + std::to_string(i) +
                          ", 'odd': " + (i % 2 ? "true" : "false") + "}",
                      "a"));
    }
    ASSERT_TRUE(run("INSERT INTO notes VALUE {'id': ?, 'r': 9}", "b"));
  }
};

TEST(ExecuteStatement, reads_by_key_by_list_and_by_scan) {
  Statements db;
  db.fill();
  using V = std::vector<std::string>;
  EXPECT_EQ(db.ranges("WHERE id = 'a' AND r = 3"), V{"3"});
  EXPECT_EQ(db.ranges("WHERE id = 'a' AND r >= 1 AND r < 3"), (V{"1", "2"}));
  EXPECT_EQ(db.ranges("WHERE id = 'a' AND 3 <= r"), (V{"3", "4"}));
  EXPECT_EQ(db.ranges("WHERE id = 'a' AND r BETWEEN 1 AND 2 ORDER BY r DESC"), (V{"2", "1"}));
  EXPECT_EQ(db.ranges("WHERE id IN ['b', 'a', 'b'] AND r > 3"), (V{"9", "4"}));
  EXPECT_EQ(db.ranges("WHERE id IN ['b', 'a'] AND r > 3 ORDER BY id ASC"), (V{"4", "9"}));
  EXPECT_EQ(db.ranges("WHERE odd = true").size(), 2u);
  EXPECT_EQ(db.ranges("WHERE odd IS MISSING"), V{"9"});
  EXPECT_EQ(db.ranges("").size(), 6u);
  EXPECT_ERROR(db.run("SELECT * FROM notes ORDER BY r"), "ValidationException",
               "Must have WHERE clause");
  EXPECT_ERROR(db.run("SELECT * FROM notes WHERE odd = true ORDER BY r"), "ValidationException",
               "hash key condition");
  EXPECT_ERROR(db.run("SELECT * FROM notes WHERE id = 'a' ORDER BY odd"), "ValidationException",
               "primary key");
}

TEST(ExecuteStatement, pages_by_an_opaque_token_of_its_own) {
  Statements db;
  db.fill();
  api::ExecuteStatementInput input;
  input.statement = "SELECT r FROM notes WHERE id IN ['a', 'b']";
  input.limit = 2;
  std::vector<size_t> sizes;
  std::string first_token;
  while (true) {
    const auto got = db.call(&Service::execute_statement, input);
    ASSERT_TRUE(got.has_value()) << got.error().message;
    sizes.push_back(got->items->size());
    if (first_token.empty()) first_token = *got->next_token;
    if (!got->next_token) break;
    input.next_token = got->next_token;
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 2, 2, 0}));
  input.statement = "SELECT r FROM notes WHERE id IN ['b', 'a']";
  input.next_token = first_token;
  EXPECT_ERROR(db.call(&Service::execute_statement, input), "ValidationException",
               "NextToken does not match request");
  input.next_token->at(5) = input.next_token->at(5) == 'A' ? 'B' : 'A';
  EXPECT_ERROR(db.call(&Service::execute_statement, input), "ValidationException",
               "Invalid NextToken");
}

TEST(ExecuteStatement, orders_several_partitions_by_their_key_only) {
  Statements db;
  db.fill();
  EXPECT_ERROR(db.run("SELECT * FROM notes WHERE id IN ['a', 'b'] ORDER BY r"),
               "ValidationException",
               "Must have hash key in ORDER BY clause when more than one hash key condition "
               "specified in WHERE clause.");
  std::string values = "'0'";
  for (int i = 1; i <= 50; ++i) values += ", '" + std::to_string(i) + "'";
  EXPECT_ERROR(db.run("SELECT * FROM notes WHERE id IN [" + values + "]"), "ValidationException",
               "Too many decomposed read operations for a given query.");
}

TEST(ExecuteStatement, writes_one_item_by_its_whole_key) {
  Statements db;
  db.fill();
  EXPECT_ERROR(db.run("INSERT INTO notes VALUE {'id': 'a', 'r': 1}"), "DuplicateItemException",
               "Duplicate primary key exists in table");
  EXPECT_ERROR(db.run("DELETE FROM notes WHERE id = 1 AND r = 1"), "ValidationException",
               "Key attribute's data type should match its data type in table's schema: Key id");
  EXPECT_ERROR(db.run("SELECT * FROM notes WHERE id = 'a' AND r > 'x'"), "ValidationException",
               "Key attribute's data type should match its data type in table's schema: Key r");
  EXPECT_ERROR(db.run("UPDATE notes SET x = 1 WHERE id = 'a'"), "ValidationException",
               "Where clause does not contain a mandatory equality on all key attributes");
  EXPECT_ERROR(db.run("UPDATE notes SET x = 1 WHERE id = 'a' AND r = 1 AND r > 1"),
               "ConditionalCheckFailedException", "");
  EXPECT_ERROR(db.run("UPDATE notes SET x = 1 WHERE id = 'a' AND r = 1 AND r = 2"),
               "ValidationException",
               "Multiple conditions on same key r. Only single item Update/Insert/Delete are "
               "supported");
  EXPECT_ERROR(db.run("INSERT INTO notes VALUE {'id': 'a'}"), "ValidationException",
               "Key attribute should be present in the item: Key r");
  EXPECT_ERROR(db.run("INSERT INTO notes VALUE {'id': 1, 'r': 1}"), "ValidationException",
               "Key attribute's data type should match its data type in table's schema: Key id");
  EXPECT_ERROR(db.run("EXISTS(SELECT * FROM notes WHERE id = 'a' AND r = 1 AND odd = true)"),
               "ValidationException",
               "EXISTS can only be used in ExecuteTransaction write requests.");
  EXPECT_ERROR(db.run("UPDATE notes SET x = 1 WHERE id = 'none' AND r = 1"),
               "ConditionalCheckFailedException", "");
  EXPECT_ERROR(db.run("UPDATE notes SET x = 1 WHERE id = 'a' AND r = 1 AND odd = false"),
               "ConditionalCheckFailedException", "");
  EXPECT_ERROR(db.run("UPDATE notes SET r = 7 WHERE id = 'a' AND r = 1"), "ValidationException",
               "part of the key");
  const auto updated = db.run(
      "UPDATE notes SET x = [1] SET odd = 'no' WHERE id = 'a' AND r = 1 RETURNING MODIFIED OLD *");
  ASSERT_TRUE(updated.has_value()) << updated.error().message;
  ASSERT_EQ(updated->items->size(), 1u);
  EXPECT_EQ(updated->items->at(0).size(), 1u);
  const auto erased = db.run("DELETE FROM notes WHERE id = 'a' AND r = 1 RETURNING ALL OLD *");
  ASSERT_EQ(erased->items->size(), 1u);
  EXPECT_EQ(erased->items->at(0).find("odd")->payload(), "no");
  const auto nothing = db.run("DELETE FROM notes WHERE id = 'a' AND r = 1 AND odd = 'no'");
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->items->empty());
  EXPECT_ERROR(db.run("DELETE FROM notes WHERE id = 'a' AND r = 2 AND odd = 'no'"),
               "ConditionalCheckFailedException", "");
}

TEST(BatchExecuteStatement, answers_each_statement_by_itself) {
  Statements db;
  db.fill();
  api::BatchExecuteStatementInput input;
  for (const char* text : {"INSERT INTO notes VALUE {'id': 'a', 'r': 1}",
                           "INSERT INTO notes VALUE {'id': 'new', 'r': 1}",
                           "UPDATE nowhere SET x = 1 WHERE id = 'a'", "nonsense"}) {
    api::BatchStatementRequest one;
    one.statement = text;
    input.statements.push_back(one);
  }
  const auto got = db.call(&Service::batch_execute_statement, input);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  const auto& responses = *got->responses;
  EXPECT_EQ(*responses[0].error->code, "DuplicateItem");
  EXPECT_FALSE(responses[1].error);
  EXPECT_EQ(*responses[1].table_name, "notes");
  EXPECT_EQ(*responses[2].error->code, "ResourceNotFound");
  EXPECT_EQ(*responses[3].error->code, "ValidationError");
  api::BatchStatementRequest read;
  read.statement = "SELECT * FROM notes WHERE id = 'a' AND r = 1";
  input.statements.push_back(read);
  EXPECT_ERROR(db.call(&Service::batch_execute_statement, input), "ValidationException",
               "cannot mix both");
}

TEST(ExecuteTransaction, is_one_commit_or_none) {
  Statements db;
  db.fill();
  api::ExecuteTransactionInput input;
  const auto add = [&](const char* text) {
    api::ParameterizedStatement one;
    one.statement = text;
    input.transact_statements.push_back(one);
  };
  add("INSERT INTO notes VALUE {'id': 'x', 'r': 1}");
  add("EXISTS(SELECT * FROM notes WHERE id = 'b' AND r = 9 AND odd = true)");
  const auto refused = db.call(&Service::execute_transaction, input);
  EXPECT_ERROR(refused, "TransactionCanceledException", "[None, ConditionalCheckFailed]");
  EXPECT_TRUE(db.ranges("WHERE id = 'x'").empty());
  input.transact_statements.pop_back();
  add("EXISTS(SELECT * FROM notes WHERE id = 'b' AND r = 9 AND odd IS MISSING)");
  ASSERT_TRUE(db.call(&Service::execute_transaction, input));
  EXPECT_EQ(db.ranges("WHERE id = 'x'").size(), 1u);
  EXPECT_ERROR(db.call(&Service::execute_transaction, input), "TransactionCanceledException",
               "[DuplicateItem, None]");
  const auto alone = [&](const char* text) {
    api::ExecuteTransactionInput one;
    one.transact_statements.emplace_back().statement = text;
    return db.call(&Service::execute_transaction, one);
  };
  const std::string failed = "Validation failed in TransactStatements[0]: ";
  EXPECT_ERROR(alone("EXISTS(SELECT * FROM notes WHERE id = 'b' AND r = 9)"), "ValidationException",
               failed + "EXISTS() must contain a single item read with additional condition");
  EXPECT_ERROR(alone("DELETE FROM notes WHERE id = 'b' AND r = 9 RETURNING ALL OLD *"),
               "ValidationException",
               failed + "RETURNING clause is not supported in ExecuteTransaction.");
  EXPECT_ERROR(alone("SELECT * FROM notes WHERE id = 'b'"), "ValidationException",
               failed + "Select statements within ExecuteTransaction must specify the primary key");
  EXPECT_ERROR(alone("SELECT * FROM notes WHERE id = 'b' AND r = 9 AND odd = true"),
               "ValidationException",
               failed + "Select statements within ExecuteTransaction must specify the primary key");
  EXPECT_ERROR(alone("SELECT * FROM notes WHERE id = 'b' AND r = '9'"),
               "TransactionCanceledException", "[ValidationError]");
  EXPECT_ERROR(alone("SELECT * FROM notes WHERE"), "ValidationException",
               failed + "Statement wasn't well formed, can't be processed: Unexpected term");
  add("SELECT * FROM notes WHERE id = 'b' AND r = 9");
  EXPECT_ERROR(db.call(&Service::execute_transaction, input), "ValidationException",
               "cannot mix both");
}

}  // namespace
}  // namespace virga::dynamodb
