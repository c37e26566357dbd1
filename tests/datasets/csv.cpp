#include "datasets/csv.h"

#include <doctest/doctest.h>

#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

Dataset loaded(std::string_view text, const char* name = "a.csv") {
  const TempFolder folder;
  put_text(folder / name, text);
  return load_csv(folder / name);
}

std::string csv_error(std::string_view text) {
  const std::string message = error_of([&] { loaded(text); });
  CHECK((message == "no error" || has(message, "a.csv")));
  return message;
}

}  // namespace

TEST_CASE("a table without a header: the last column is the label") {
  const Dataset data = loaded("1,2,0\n3.5,-4e2,1\n+5, 6 ,2\n");
  CHECK(data.features == 2);
  CHECK(data.classes == 3);
  CHECK(data.train.values == std::vector<float>{1, 2, 3.5, -400});
  CHECK(data.train.labels == std::vector<std::int32_t>{0, 1});
  CHECK(data.test.values == std::vector<float>{5, 6});
  CHECK(data.test.labels == std::vector<std::int32_t>{2});
  CHECK(data.name == "a");
  CHECK(data.checksums.size() == 1);
}

TEST_CASE("a header names the label; quotes, CRLF, blank lines and a byte order mark are accepted") {
  const Dataset data = loaded(
      "\xef\xbb\xbf\"Label\",\"width, in \"\"cm\"\"\",\"two\nlines\"\r\n\r\n1,10,11\r\n0,20,\"21\"\r\n\r\n");
  CHECK(data.train.values == std::vector<float>{10, 11});
  CHECK(data.train.labels == std::vector<std::int32_t>{1});
  CHECK(data.test.values == std::vector<float>{20, 21});
  for (const char* name : {"y", "class", "CLASS"})
    CHECK(loaded(std::string(name) + ",a\n1,5\n0,6").train.labels == std::vector<std::int32_t>{1});
  CHECK(loaded("a,why\n5,1\n6,0").train.labels == std::vector<std::int32_t>{1});
}

TEST_CASE("tabs separate in a .tsv file") {
  const Dataset data = loaded("a\tlabel\n1.5\t1\n2.5\t0\n", "a.tsv");
  CHECK(data.train.values == std::vector<float>{1.5});
}

TEST_CASE("two classes at least") { CHECK(loaded("1,0\n2,0\n").classes == 2); }

TEST_CASE("defects name the line and the column") {
  CHECK(has(csv_error(""), "is empty"));
  CHECK(has(csv_error("\n \n"), "is empty"));
  CHECK(has(csv_error("a,label\n"), "has a header and no rows"));
  CHECK(has(csv_error("1\n2\n"), "has one column"));
  CHECK(has(csv_error("a,label\n1,0\n2\n"), "line 3: has 1 fields; the first line has 2"));
  CHECK(has(csv_error("a,label\n1,0\n2,1,3\n"), "line 3: has 3 fields"));
  CHECK(has(csv_error("a,label\n1,0\nx1,1\n"), "line 3: a holds 'x1', which is no number"));
  CHECK(has(csv_error("a,label\n1,0\n,1\n"), "line 3: a holds ''"));
  CHECK(has(csv_error("1,0\n1 2,1\n"), "line 2: column 1 holds '1 2'"));
  CHECK(has(csv_error("1,0\nnan,1\n"), "line 2: column 1 holds 'nan', which is not a finite number"));
  CHECK(has(csv_error("1,0\n-inf,1\n"), "not a finite number"));
  CHECK(has(csv_error("1,0\n1e999,1\n"), "not a finite number"));
  CHECK(has(csv_error("1,0\n1e200,1\n"), "too large for 32 bits"));
  CHECK(has(csv_error("1,0\n2,0.5\n"), "line 2: the label in column 2 is 0.5"));
  CHECK(has(csv_error("1,0\n2,-1\n"), "the label in column 2 is -1"));
  CHECK(has(csv_error("1,0\n2,1e7\n"), "the label in column 2 is"));
  CHECK(has(csv_error("\"a,label\n1,0\n"), "a quote is opened and never closed"));
  CHECK(has(csv_error("\"a\nb\",label\n1,0\n1,x\n"), "line 4: label holds 'x'"));
  CHECK(has(csv_error(std::string_view("1,0\n\0,1\n", 8)), "holds zero bytes"));
  CHECK(has(csv_error("1,0\n"), "cannot be both training and test"));
}

TEST_CASE("columns are read by name, and text in others does not matter") {
  const TempFolder folder;
  put_text(folder / "p.csv", "id,loss,status\nab,0.5,ok\ncd,0.25,ok\n");
  const std::vector<std::string_view> loss = {"loss"}, near = {"los"}, far = {"gradient"};
  const CsvColumns found = read_csv_columns(folder / "p.csv", loss);
  CHECK(found.names == std::vector<std::string>{"loss"});
  CHECK(found.columns == std::vector<std::vector<double>>{{0.5, 0.25}});
  CHECK(has(error_of([&] { read_csv_columns(folder / "p.csv", near); }),
            "no column 'los'; did you mean 'loss'?"));
  CHECK(error_of([&] { read_csv_columns(folder / "p.csv", far); }).ends_with("has no column 'gradient'"));
  CHECK(has(error_of([&] { read_csv_columns(folder / "p.csv"); }), "line 2: id holds 'ab'"));
  put_text(folder / "n.csv", "1,2\n3,4\n5,6");
  CHECK(read_csv_columns(folder / "n.csv").columns == std::vector<std::vector<double>>{{1, 3, 5}, {2, 4, 6}});
  // 0.1 and 2^53 + 2 as the nearest doubles
  put_text(folder / "n.csv", "0.1,9007199254740994\n");
  CHECK(read_csv_columns(folder / "n.csv").columns ==
        std::vector<std::vector<double>>{{0.1}, {9007199254740994.0}});
}
