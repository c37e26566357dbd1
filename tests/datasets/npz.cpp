#include "datasets/npz.h"

#include <doctest/doctest.h>

#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

Bytes npy_of(const std::vector<float>& values) {
  Bytes bytes = npy_header(DType::f4, {static_cast<std::int64_t>(values.size())});
  const auto raw = raw_bytes(std::span<const float>(values));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

std::vector<float> floats_of(const Array& array) {
  const auto values = values_of<float>(array);
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("an npz file written in pieces comes back") {
  const TempFolder folder;
  const std::vector<double> doubles = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int32_t> whole = {-1, 7};
  {
    NpzWriter writer(folder / "a.npz");
    writer.begin("loss", DType::f8, {3, 2});
    for (std::size_t i = 0; i < 6; i += 2) writer.append(raw_bytes(std::span(doubles).subspan(i, 2)));
    writer.end();
    writer.add<std::int32_t>("ids", {2}, whole);
    writer.add<float>("nothing", {0, 4}, {});
    writer.finish();
  }
  NpzReader reader(folder / "a.npz");
  CHECK(reader.names() == std::vector<std::string>{"loss", "ids", "nothing"});
  const Array loss = reader.read("loss");
  CHECK(loss.shape == Shape{3, 2});
  CHECK(values_as_double(loss) == doubles);
  CHECK(values_as_double(reader.read("ids")) == std::vector<double>{-1, 7});
  CHECK(reader.read("nothing").shape == Shape{0, 4});
  CHECK(reader.has("ids"));
  CHECK_FALSE(reader.has("id"));
  CHECK(has(error_of([&] { reader.read("id"); }), "no array 'id'; it holds loss, ids, nothing"));
}

TEST_CASE("an npz file without arrays is one") {
  const TempFolder folder;
  NpzWriter(folder / "a.npz").finish();
  CHECK(NpzReader(folder / "a.npz").names().empty());
}

TEST_CASE("the same arrays give the same bytes") {
  const TempFolder folder;
  const std::vector<float> values = {1, 2};
  for (const char* name : {"a.npz", "b.npz"}) {
    NpzWriter writer(folder / name);
    writer.add<float>("x", {2}, values);
    writer.finish();
  }
  CHECK(read_bytes(folder / "a.npz") == read_bytes(folder / "b.npz"));
}

TEST_CASE("zip files of another writer are read, stored and deflated") {
  const TempFolder folder;
  std::vector<float> many(100'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i % 1000) / 7;
  for (const bool deflated : {false, true}) {
    write_bytes(folder / "a.npz",
                zip_of({{"x.npy", npy_of({1, 2, 3})}, {"many.npy", npy_of(many)}}, deflated));
    NpzReader reader(folder / "a.npz");
    CHECK(floats_of(reader.read("many")) == many);
    CHECK(floats_of(reader.read("x")) == std::vector<float>{1, 2, 3});
  }
}

TEST_CASE("a comment behind the zip's end is allowed") {
  const TempFolder folder;
  Bytes zip = zip_of({{"x.npy", npy_of({1})}}, false);
  zip[zip.size() - 2] = 5;
  for (const char c : {'h', 'e', 'l', 'l', 'o'}) zip.push_back(static_cast<std::uint8_t>(c));
  write_bytes(folder / "a.npz", zip);
  CHECK(floats_of(NpzReader(folder / "a.npz").read("x")) == std::vector<float>{1});
}

TEST_CASE("damage to an npz file is found") {
  const TempFolder folder;
  const auto read_x = [&](const Bytes& zip) {
    write_bytes(folder / "a.npz", zip);
    return error_of([&] { NpzReader(folder / "a.npz").read("x"); });
  };
  const Bytes good = zip_of({{"x.npy", npy_of({1, 2, 3})}}, false);
  CHECK(read_x(good) == "no error");
  Bytes bad = good;
  bad[35 + 128] ^= 1;  // local header (30), name (5), npy header (128): the first value
  CHECK(has(read_x(bad), "checksum of x is wrong"));
  CHECK(has(read_x({}), "is empty"));
  CHECK(has(read_x(bytes_of("PK, but not really")), "no .npz file"));
  CHECK(has(read_x(zip_of({{"readme.txt", bytes_of("hello")}}, false)), "'readme.txt' is no .npy file"));
  CHECK(has(error_of([&] { NpzReader(folder / "none.npz"); }), "no such file"));

  Bytes deflated = zip_of({{"x.npy", npy_of({1, 2, 3})}}, true);
  CHECK(read_x(deflated) == "no error");
  deflated[36] ^= 0xff;
  CHECK(has(read_x(deflated), "is damaged"));
  // A directory that promises 4 GiB from a few bytes: refused before memory is taken.
  Bytes bomb = zip_of({{"x.npy", npy_of({1, 2, 3})}}, true);
  const std::size_t entry = bomb.size() - 22 - 46 - 5;
  for (std::size_t i = 0; i < 4; ++i) bomb[entry + 24 + i] = i == 0 ? 0xfe : 0xff;
  CHECK(has(read_x(bomb), "cannot hold 4294967294"));
}

TEST_CASE("an unfinished npz file is refused") {
  const TempFolder folder;
  const std::vector<float> values = {1, 2};
  {
    NpzWriter writer(folder / "a.npz");
    writer.add<float>("x", {2}, values);
  }
  CHECK(has(error_of([&] { NpzReader(folder / "a.npz"); }), "cut off"));
}

TEST_CASE("an npz writer used wrongly says so") {
  const TempFolder folder;
  const std::vector<float> values = {1, 2, 3};
  NpzWriter writer(folder / "a.npz");
  CHECK_THROWS_AS(writer.add<float>("x", {2}, values), std::logic_error);  // a value too many
  NpzWriter other(folder / "b.npz");
  CHECK_THROWS_AS(other.add<float>("x", {4}, values), std::logic_error);  // one too few
  CHECK_THROWS_AS(other.finish(), std::logic_error);
  NpzWriter third(folder / "c.npz");
  third.add<float>("x", {3}, values);
  CHECK_THROWS_AS(third.add<float>("x", {3}, values), std::logic_error);
  CHECK(has(error_of([&] { NpzWriter(folder / "none" / "a.npz"); }), "cannot be written"));
}
