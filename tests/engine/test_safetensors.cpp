// The safetensors format: what is written is what the format says, what is damaged is refused in words.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <limits>

#include "engine/safetensors.h"
#include "tests/engine/temporary_folder.h"

using namespace shoal;

namespace {

/// What a call complains about; empty when it does not.
template <class Call>
std::string complaint(Call call) {
  try {
    call();
  } catch (const WeightsError& e) { return e.what(); }
  return "";
}

std::string open_complaint(const std::filesystem::path& path, const std::string& bytes) {
  write_bytes(path, bytes);
  return complaint([&] { SafetensorsFile file(path); });
}

bool mentions(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

/// Opens a file and reads all that can be read; true when nothing was wrong.
bool reads_whole(const std::filesystem::path& path) {
  try {
    const SafetensorsFile file(path);
    for (const TensorInfo& t : file.tensors()) {
      if (t.dtype == "F32") file.read<float>(t.name);
      if (t.dtype == "F64") file.read<double>(t.name);
      if (t.dtype == "U8") file.read<std::uint8_t>(t.name);
    }
    return true;
  } catch (const WeightsError&) { return false; }
}

std::string small_file(const std::filesystem::path& path) {
  SafetensorsWriter writer(
      path, {{"a", TensorType::f32, {2, 3}}, {"b", TensorType::f64, {}}, {"c", TensorType::u8, {5}}},
      {{"made by", "a test"}});
  writer.write("a", std::vector<float>{1, 2, 3, 4, 5, 6});
  writer.write("b", std::vector<double>{-0.5});
  writer.write("c", std::vector<std::uint8_t>{1, 2, 3, 4, 255});
  writer.finish();
  return bytes_of(path);
}

}  // namespace

TEST_CASE("safetensors: every type comes back, whatever the order and the pieces of writing") {
  const TemporaryFolder folder;
  const std::vector<float> f{0.0f, -0.0f, 1e-45f, std::numeric_limits<float>::infinity(), 3.0f, 4.0f};
  const std::vector<double> d{0.1, -1e300};
  const std::vector<std::int32_t> i{std::numeric_limits<std::int32_t>::min(), 7};
  const std::vector<std::int64_t> l{std::numeric_limits<std::int64_t>::max()};
  const std::vector<std::uint8_t> u{0, 127, 255};
  SafetensorsWriter writer(folder / "x.safetensors",
                           {{"u", TensorType::u8, {3, 1}},
                            {"f", TensorType::f32, {2, 3}},
                            {"d", TensorType::f64, {2}},
                            {"empty", TensorType::f32, {0, 4}},
                            {"i", TensorType::i32, {1, 2, 1}},
                            {"l", TensorType::i64, {}}},
                           {{"key", "value \"quoted\" \n"}, {"other", ""}});
  writer.write("u", u);
  writer.write("f", std::span(f).subspan(4), 4);
  writer.write("l", l);
  writer.write("f", std::span(f).first(1));
  writer.write("d", d);
  writer.write("f", std::span(f).subspan(1, 3), 1);
  writer.write("i", i);
  writer.finish();

  const SafetensorsFile file(folder / "x.safetensors");
  const std::vector<float> got = file.read<float>("f", {2, 3});
  for (std::size_t n = 0; n < f.size(); ++n)
    CHECK(std::bit_cast<std::uint32_t>(got[n]) == std::bit_cast<std::uint32_t>(f[n]));
  CHECK(file.read<double>("d", {2}) == d);
  CHECK(file.read<std::int32_t>("i", {1, 2, 1}) == i);
  CHECK(file.read<std::int64_t>("l", {}) == l);
  CHECK(file.read<std::uint8_t>("u") == u);
  CHECK(file.read<float>("empty", {0, 4}).empty());
  CHECK(file.metadata() == std::map<std::string, std::string>{{"key", "value \"quoted\" \n"}, {"other", ""}});
  CHECK(file.tensors().size() == 6);
  for (const TensorInfo& t : file.tensors()) {
    const int bytes = t.dtype == "U8" ? 1 : t.dtype == "F32" || t.dtype == "I32" ? 4 : 8;
    CHECK(t.begin % bytes == 0);  // aligned for readers that map the file
  }
  CHECK(folder.count() == 1);
}

TEST_CASE("safetensors: the bytes are those of the format") {
  const TemporaryFolder folder;
  SafetensorsWriter writer(folder / "x", {{"w", TensorType::f32, {1, 2}}});
  writer.write("w", std::vector<float>{1.0f, -2.0f});
  writer.finish();
  const std::string header = R"({"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  CHECK(bytes_of(folder / "x") == safetensors_bytes(padded, data));
}

TEST_CASE("safetensors: a file without tensors is a file") {
  const TemporaryFolder folder;
  SafetensorsWriter(folder / "x", {}).finish();
  CHECK(SafetensorsFile(folder / "x").tensors().empty());
}

TEST_CASE("safetensors: without finish() nothing is left behind, and the old file stays") {
  const TemporaryFolder folder;
  const std::string old = small_file(folder / "x");
  {
    SafetensorsWriter writer(folder / "x", {{"w", TensorType::f32, {2}}});
    writer.write("w", std::vector<float>{1.0f, 2.0f});
    CHECK(folder.count() == 2);
  }
  CHECK(folder.count() == 1);
  CHECK(bytes_of(folder / "x") == old);
  {
    SafetensorsWriter writer(folder / "x", {{"w", TensorType::f32, {2}}});
    writer.write("w", std::vector<float>{1.0f});
    CHECK_THROWS_AS(writer.finish(), std::invalid_argument);  // half a tensor
  }
  CHECK(folder.count() == 1);
  CHECK(bytes_of(folder / "x") == old);
  SafetensorsWriter writer(folder / "x", {{"w", TensorType::f32, {2}}});
  writer.write("w", std::vector<float>{1.0f, 2.0f});
  writer.finish();
  CHECK(folder.count() == 1);
  CHECK(SafetensorsFile(folder / "x").read<float>("w") == std::vector<float>{1.0f, 2.0f});
}

TEST_CASE("safetensors: two writers of one name do not meet; the last to finish wins") {
  const TemporaryFolder folder;
  SafetensorsWriter first(folder / "x", {{"w", TensorType::f32, {1}}}),
      second(folder / "x", {{"w", TensorType::f32, {1}}});
  first.write("w", std::vector<float>{1.0f});
  second.write("w", std::vector<float>{2.0f});
  second.finish();
  first.finish();
  CHECK(SafetensorsFile(folder / "x").read<float>("w") == std::vector<float>{1.0f});
  CHECK(folder.count() == 1);
}

TEST_CASE("safetensors: calls that do not fit the tensors are refused") {
  const TemporaryFolder folder;
  using Bad = std::invalid_argument;
  SafetensorsWriter writer(folder / "x", {{"w", TensorType::f32, {2}}});
  CHECK_THROWS_AS(writer.write("v", std::vector<float>{1.0f}), Bad);
  CHECK_THROWS_AS(writer.write("w", std::vector<double>{1.0}), Bad);
  CHECK_THROWS_AS(writer.write("w", std::vector<float>(3)), Bad);
  CHECK_THROWS_AS(writer.write("w", std::vector<float>(2), 1), Bad);
  CHECK_THROWS_AS(writer.write("w", std::vector<float>(1), -1), Bad);
  CHECK_THROWS_AS(writer.write("w", std::vector<float>(1), std::numeric_limits<std::int64_t>::max()), Bad);
  CHECK_THROWS_AS(SafetensorsWriter(folder / "y", {{"w", TensorType::f32, {2}}, {"w", TensorType::f32, {2}}}),
                  Bad);
  CHECK_THROWS_AS(SafetensorsWriter(folder / "y", {{"__metadata__", TensorType::f32, {2}}}), Bad);
  CHECK_THROWS_AS(SafetensorsWriter(folder / "y", {{"w", TensorType::f32, {-1}}}), Bad);
  CHECK_THROWS_AS(SafetensorsWriter(folder / "y", {{"w", TensorType::f32, {1ll << 40, 1ll << 40}}}), Bad);
}

TEST_CASE("safetensors: places that cannot be written are named") {
  const TemporaryFolder folder;
  const auto nowhere = complaint([&] { SafetensorsWriter(folder / "no/x", {}); });
  CHECK(nowhere == "cannot write " + (folder / "no/x").string() + ": No such file or directory");
  std::filesystem::create_directory(folder / "taken");
  const auto taken = complaint([&] { SafetensorsWriter(folder / "taken", {}).finish(); });
  CHECK(mentions(taken, (folder / "taken").string()));
  CHECK(folder.count() == 1);
}

TEST_CASE("safetensors: a disk without room is one sentence, and nothing is left behind") {
  const TemporaryFolder folder;
  // A limit on the size of files fails as a full disk does: at the call that needs the room.
  const auto old_signal = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{64, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const auto text = complaint([&] { SafetensorsWriter(folder / "x", {{"w", TensorType::f32, {1000}}}); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_signal);
  CHECK(text == "cannot write " + (folder / "x").string() + ": File too large");
  CHECK(folder.count() == 0);
}

TEST_CASE("safetensors: a file cut short anywhere is refused, and so is one with something behind it") {
  const TemporaryFolder folder;
  const std::string whole = small_file(folder / "x");
  REQUIRE(reads_whole(folder / "x"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(mentions(open_complaint(folder / "cut", whole.substr(0, length)), (folder / "cut").string()));
  }
  CHECK(mentions(open_complaint(folder / "cut", whole + "x"), "the last 1 bytes belong to nothing"));
}

TEST_CASE("safetensors: a file with any one damaged byte is read or refused") {
  const TemporaryFolder folder;
  const std::string whole = small_file(folder / "x");
  int read = 0, refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int flip : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      write_bytes(folder / "damaged", damaged);
      reads_whole(folder / "damaged") ? ++read : ++refused;
    }
  CHECK(read > 0);  // in the data and in names
  CHECK(refused > 0);
}

TEST_CASE("safetensors: absurd header lengths are refused before anything is allocated") {
  const TemporaryFolder folder;
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 31, std::uint64_t{1} << 62,
                                     std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{7}}) {
    CAPTURE(length);
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(length >> (8 * i));
    CHECK(mentions(open_complaint(folder / "x", bytes + "{}"),
                   "promises a header of " + std::to_string(length)));
  }
  // A header beyond the format's limit, in a file that is as large (and sparse).
  write_bytes(folder / "x", std::string("\x01\xe1\xf5\x05\x00\x00\x00\x00", 8));  // 100 000 001
  std::filesystem::resize_file(folder / "x", 200'000'000);
  CHECK(mentions(complaint([&] { SafetensorsFile file(folder / "x"); }), "100000000 is the most"));
}

TEST_CASE("safetensors: headers that lie are refused in words") {
  struct Case {
    const char* header;
    int data;  // bytes
    const char* words;
  };
  const Case cases[] = {
      {"", 0, "not JSON"},
      {"hello", 0, "not JSON"},
      {R"({"a":)", 0, "not JSON"},
      {"\xff\xfe{}", 0, "not JSON"},
      {"[]", 0, "not a JSON object"},
      {"7", 0, "not a JSON object"},
      {"[[[[[[[[1]]]]]]]]", 0, "nested deeper"},
      {R"({"a":1})", 0, "not a JSON object"},
      {R"({"a":{}})", 0, "has no dtype"},
      {R"({"a":{"dtype":7,"shape":[],"data_offsets":[0,4]}})", 4, "has no dtype"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "has no shape"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "has no shape"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "has no shape"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4, "has no shape"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "has no pair of data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "has no pair of data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4, "has no pair of data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4, "has no pair of data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":["0","4"]}})", 4, "has no pair of data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "ends at 0 before it begins at 4"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "it is cut short or damaged"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "takes 12 bytes"},
      {R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", 8, "takes 16 bytes"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0,
       "takes too many bytes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
       6, "\"a\" and \"b\" overlap"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "overlap"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "4 bytes before tensor \"a\""},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8, "the last 4 bytes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "names \"a\" twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "names \"dtype\" twice"},
      {R"({"__metadata__":{"x":1}})", 0, "not a string"},
      {R"({"__metadata__":"x"})", 0, "not a JSON object"},
  };
  const TemporaryFolder folder;
  for (const Case& c : cases) {
    CAPTURE(c.header);
    const std::string text = open_complaint(
        folder / "x", safetensors_bytes(c.header, std::string(static_cast<std::size_t>(c.data), '\1')));
    CHECK(mentions(text, c.words));
    CHECK(mentions(text, (folder / "x").string()));
  }
}

TEST_CASE("safetensors: what cannot be opened is named") {
  const TemporaryFolder folder;
  CHECK(complaint([&] { SafetensorsFile file(folder / "none"); }) ==
        (folder / "none").string() + ": cannot be opened: No such file or directory");
  CHECK(mentions(complaint([&] { SafetensorsFile file(folder.path); }), "is a directory"));
  CHECK(mentions(complaint([&] { SafetensorsFile file("/dev/null"); }), "is not a regular file"));
}

TEST_CASE("safetensors: a tensor is given only as the type and shape it has") {
  const TemporaryFolder folder;
  write_bytes(folder / "x", safetensors_bytes(R"({"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                                              R"("h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},)"
                                              R"("new":{"dtype":"F3","shape":[2],"data_offsets":[12,13]}})",
                                              std::string(13, '\0')));
  const SafetensorsFile file(folder / "x");
  CHECK(file.contains("a"));
  CHECK_FALSE(file.contains("b"));
  CHECK(file.read<float>("a", {1, 2}) == std::vector<float>{0.0f, 0.0f});
  CHECK(mentions(complaint([&] { file.read<double>("a", {1, 2}); }), "has type F32, but F64 is needed"));
  CHECK(mentions(complaint([&] {
                   file.read<float>("a", {2, 1});
                 }),
                 "has shape [1, 2], but [2, 1] is needed"));
  CHECK(mentions(complaint([&] { file.read<float>("h"); }), "has type F16, but F32 is needed"));
  CHECK(mentions(complaint([&] { file.read<float>("new"); }), "has type F3, but F32 is needed"));
  CHECK(mentions(complaint([&] { file.read<float>("b"); }),
                 "has no tensor \"b\"; the first of its 3 is \"a\""));
  std::vector<float> small(1);
  CHECK_THROWS_AS(file.read("a", {1, 2}, std::span(small)), std::invalid_argument);
}

TEST_CASE("safetensors: a file that shrinks while it is open is refused") {
  const TemporaryFolder folder;
  small_file(folder / "x");
  const SafetensorsFile file(folder / "x");
  std::filesystem::resize_file(folder / "x", 100);
  CHECK(mentions(complaint([&] { file.read<double>("b"); }), "has become shorter"));
}
