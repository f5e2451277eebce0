#include "tables/answer.h"

#include <gtest/gtest.h>

#include <limits>

namespace nilo::tables {
namespace {

Answer example() {
  Answer answer({{"id", "int"}, {"level", "double", "cm"}, {"note", "text"}, {"at", "timestamp"}});
  std::string note = "a,\"b\"\n";
  for (const Value& cell : {Value::int64(1), Value::float64(41.5), Value::text(note),
                            Value::timestamp(1'763'750'000'123'000), Value::int64(2), Value::null(),
                            Value::text(""), Value::null()}) {
    answer.add(cell);
  }
  note = "gone..";  // the answer keeps its own copy
  return answer;
}

TEST(Answer, IsPrintedAsJson) {
  EXPECT_EQ(to_json(example()),
            R"({"columns":[{"name":"id","type":"int"},{"name":"level","type":"double",)"
            R"("unit":"cm"},{"name":"note","type":"text"},{"name":"at","type":"timestamp"}],)"
            R"("rows":[[1,41.5,"a,\"b\"\n","2025-11-21T18:33:20.123Z"],[2,null,"",null]]})");
  std::string object;
  append_row_object(object, example(), 1);
  EXPECT_EQ(object, R"({"id":2,"level":null,"note":"","at":null})");
}

TEST(Answer, IsPrintedAsCsvThatTellsNullFromEmptyText) {
  EXPECT_EQ(to_csv(example()),
            "id,level,note,at\r\n"
            "1,41.5,\"a,\"\"b\"\"\n\",2025-11-21T18:33:20.123Z\r\n"
            "2,,\"\",\r\n");
}

TEST(Answer, WithoutRowsStillNamesItsColumns) {
  const Answer empty(std::vector<AnswerColumn>{{"n", "int"}});
  EXPECT_EQ(to_csv(empty), "n\r\n");
  EXPECT_EQ(to_json(empty), R"({"columns":[{"name":"n","type":"int"}],"rows":[]})");
  EXPECT_EQ(to_json(Answer()), R"({"columns":[],"rows":[]})");
}

TEST(Answer, ShowsNumbersJsonDoesNotKnowAsNull) {
  Answer answer(std::vector<AnswerColumn>{{"x", "double"}});
  answer.add(Value::float64(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(to_json(answer), R"({"columns":[{"name":"x","type":"double"}],"rows":[[null]]})");
  EXPECT_EQ(to_csv(answer), "x\r\n\r\n");
}

}  // namespace
}  // namespace nilo::tables
