#include "datasets/npy.h"

#include <doctest/doctest.h>

#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

/// A .npy file spelt by hand: version 1 or 2, a header without padding, data.
Bytes npy_file(std::string_view dictionary, const Bytes& data, int version = 1) {
  Bytes file = bytes_of("\x93NUMPY");
  file.push_back(static_cast<std::uint8_t>(version));
  file.push_back(0);
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    file.push_back(static_cast<std::uint8_t>(dictionary.size() >> (8 * i)));
  file.insert(file.end(), dictionary.begin(), dictionary.end());
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

std::string npy_error(std::string_view dictionary, const Bytes& data = Bytes(4)) {
  return error_of([&] { parse_npy(npy_file(dictionary, data), "a.npy"); });
}

template <class T>
void check_round_trip(const TempFolder& folder, const std::vector<T>& values, std::string_view code) {
  const Shape shape = {2, static_cast<std::int64_t>(values.size()) / 2};
  write_npy(folder / "a.npy", dtype_of<T>(), shape, raw_bytes(std::span<const T>(values)));
  CHECK(has({reinterpret_cast<const char*>(read_bytes(folder / "a.npy").data()), 64}, code));
  const Array array = read_npy(folder / "a.npy");
  CHECK(array.shape == shape);
  const std::span<const T> found = values_of<T>(array);
  CHECK(std::vector<T>(found.begin(), found.end()) == values);
  CHECK(values_as_double(array) == std::vector<double>(values.begin(), values.end()));
}

}  // namespace

TEST_CASE("every type of array comes back as it was written") {
  const TempFolder folder;
  check_round_trip<std::uint8_t>(folder, {0, 255, 1, 7}, "'|u1'");
  check_round_trip<std::int8_t>(folder, {0, -128, 127, 7}, "'|i1'");
  check_round_trip<std::int16_t>(folder, {0, -32768, 32767, 7}, "'<i2'");
  check_round_trip<std::int32_t>(folder, {0, -2147483647, 2147483647, 7}, "'<i4'");
  check_round_trip<std::int64_t>(folder, {0, -(std::int64_t{1} << 53), 1, 7}, "'<i8'");
  check_round_trip<float>(folder, {0, -1.5f, 3e38f, 1e-45f}, "'<f4'");
  check_round_trip<double>(folder, {0, -1.5, 3e300, 5e-324}, "'<f8'");
  const Bytes truth = {1, 0};
  write_npy(folder / "b.npy", DType::b1, {2}, truth);
  CHECK(values_as_double(read_npy(folder / "b.npy")) == std::vector<double>{1, 0});
  CHECK_THROWS_AS(write_npy(folder / "b.npy", DType::f4, {2}, truth), std::logic_error);
  CHECK_THROWS_AS(values_of<float>(read_npy(folder / "b.npy")), std::logic_error);
}

TEST_CASE("the header is as NumPy describes it, and the data begin at a multiple of 64") {
  const Bytes header = npy_header(DType::f4, {3});
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);  // version 1.0; 128 - 10 bytes follow
  expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  expected.append(128 - 1 - expected.size(), ' ');
  expected += '\n';
  CHECK(header == bytes_of(expected));
  for (std::int64_t size = 1; size < std::int64_t{1} << 60; size *= 7)
    CHECK(npy_header(DType::f8, {size, size}).size() % 64 == 0);
}

TEST_CASE("headers as other programs write them are understood") {
  const Bytes four(4);
  CHECK(parse_npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", four), "a")
            .shape.empty());
  CHECK(parse_npy(npy_file("{\"shape\":(1,),\"descr\":\"<f4\",\"fortran_order\":False}\n", four, 2), "a")
            .shape == Shape{1});
  CHECK(parse_npy(npy_file("{'descr': '<i2', 'fortran_order': False, 'shape': (1L, 2L)}", four, 3), "a")
            .shape == Shape{1, 2});
  CHECK(parse_npy(npy_file("{'descr': '<u1', 'fortran_order': True, 'shape': (4,)}", four), "a").dtype ==
        DType::u1);
  CHECK(
      parse_npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5)}", {}), "a").data.empty());
  // An empty array may have sizes whose product does not fit into 64 bits.
  const Array empty = parse_npy(
      npy_file(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904, 0)}",
          {}),
      "a");
  CHECK(value_count(empty.shape) == 0);
}

TEST_CASE("what cannot be read is refused in words") {
  CHECK(has(npy_error("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}"), "big endian"));
  CHECK(has(npy_error("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}"),
            "'<c8'; read are bool, uint8"));
  CHECK(has(npy_error("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"), "named fields"));
  CHECK(has(npy_error("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 2)}"), "Fortran order"));
  CHECK(has(npy_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"),
            "float32 of shape (2,) does not have 4 bytes"));
  CHECK(has(npy_error("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "damaged"));
  CHECK(has(npy_error("{'descr': '<f4', 'fortran_order': False}"), "damaged"));
  CHECK(has(npy_error("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}"), "damaged"));
  CHECK(has(npy_error("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)"), "damaged"));
  CHECK(has(
      npy_error("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296)}"),
      "does not have"));
  CHECK(has(npy_error("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
            "damaged"));
  CHECK(has(error_of([] { parse_npy(bytes_of("something else"), "a"); }), "a: is no .npy file"));
  CHECK(has(error_of([] { parse_npy(npy_file("{}", {}, 9), "a"); }), "version 9"));
}
