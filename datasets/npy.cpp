#include "datasets/npy.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <fstream>
#include <optional>

static_assert(std::endian::native == std::endian::little,
              "arrays are copied to and from files as they lie in memory");

namespace shoal {
namespace {

struct DTypeRow {
  std::string_view code, word;
  std::size_t bytes;
};

constexpr std::array<DTypeRow, 11> kTypes = {{{"|b1", "bool", 1},
                                              {"|u1", "uint8", 1},
                                              {"<u2", "uint16", 2},
                                              {"<u4", "uint32", 4},
                                              {"<u8", "uint64", 8},
                                              {"|i1", "int8", 1},
                                              {"<i2", "int16", 2},
                                              {"<i4", "int32", 4},
                                              {"<i8", "int64", 8},
                                              {"<f4", "float32", 4},
                                              {"<f8", "float64", 8}}};

const DTypeRow& row_of(DType type) { return kTypes[static_cast<std::size_t>(type)]; }

constexpr std::string_view kMagic = "\x93NUMPY";

/// Reads the Python dictionary of a header: strings, True, False and tuples of whole numbers are all there
/// is.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& where) : text_left(text), file(where) {}

  bool take(char c) {
    skip_blanks();
    if (text_left.empty() || text_left.front() != c) return false;
    text_left.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }
  std::string_view string() {
    skip_blanks();
    if (text_left.empty() || (text_left.front() != '\'' && text_left.front() != '"')) fail();
    const std::size_t end = text_left.find(text_left.front(), 1);
    if (end == std::string_view::npos) fail();
    const std::string_view word = text_left.substr(1, end - 1);
    text_left.remove_prefix(end + 1);
    return word;
  }
  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"})
      if (text_left.starts_with(word)) {
        text_left.remove_prefix(word.size());
        return word == "True";
      }
    fail();
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(text_left.data(), text_left.data() + text_left.size(), size);
      if (error != std::errc{} || size < 0 || shape.size() == 32) fail();
      text_left.remove_prefix(static_cast<std::size_t>(end - text_left.data()));
      shape.push_back(size);
      take('L');  // Python 2's long
      if (!take(',')) {
        expect(')');
        break;
      }
      skip_blanks();
    }
    return shape;
  }
  [[noreturn]] void fail() const {
    throw DataError(fmt::format("{}: the header of the .npy file is damaged", file));
  }

 private:
  void skip_blanks() {
    while (!text_left.empty() && (text_left.front() == ' ' || text_left.front() == '\n'))
      text_left.remove_prefix(1);
  }
  std::string_view text_left;
  const std::string& file;
};

DType dtype_from(std::string_view code, const std::string& where) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    const std::string_view known = kTypes[i].code;
    // One byte has no order: '<u1' and '=u1' are '|u1'.
    if (code == known || (kTypes[i].bytes == 1 && code.size() == 3 && code.substr(1) == known.substr(1)))
      return static_cast<DType>(i);
  }
  if (code.starts_with('>'))
    throw DataError(fmt::format("{}: the type is {}, big endian; save little endian, with .astype('<{}')",
                                where, code, code.substr(1)));
  std::vector<std::string_view> words;
  for (const DTypeRow& row : kTypes) words.push_back(row.word);
  throw DataError(fmt::format("{}: the type is '{}'; read are {}", where, code, fmt::join(words, ", ")));
}

/// Bytes of an array of this type and shape, or nothing if they do not fit into 62 bits.
std::optional<std::uint64_t> bytes_of(DType type, const Shape& shape) {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::uint64_t bytes = dtype_bytes(type);
  for (const std::int64_t size : shape) {
    if (bytes > (std::uint64_t{1} << 62) / static_cast<std::uint64_t>(size)) return std::nullopt;
    bytes *= static_cast<std::uint64_t>(size);
  }
  return bytes;
}

struct HeaderPlace {
  std::size_t begin, length;  // of the dictionary's text
};

HeaderPlace find_header(const Bytes& file, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(kMagic)) throw DataError(fmt::format("{}: is no .npy file", where));
  const auto cut_off = [&] { return DataError(fmt::format("{}: is cut off in the .npy header", where)); };
  if (file.size() < 10) throw cut_off();
  const int version = file[6];
  if (version < 1 || version > 3)
    throw DataError(fmt::format("{}: .npy version {} is not known; 1, 2 and 3 are", where, version));
  std::size_t begin = 10, length = file[8] | std::size_t{file[9]} << 8;
  if (version > 1) {
    if (file.size() < 12) throw cut_off();
    begin = 12;
    length |= std::size_t{file[10]} << 16 | std::size_t{file[11]} << 24;
  }
  if (file.size() - begin < length) throw cut_off();
  return {begin, length};
}

}  // namespace

std::string_view dtype_code(DType type) { return row_of(type).code; }
std::string_view dtype_word(DType type) { return row_of(type).word; }
std::size_t dtype_bytes(DType type) { return row_of(type).bytes; }

std::int64_t value_count(const Shape& shape) {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;  // the others may be of any size
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

std::string shape_text(const Shape& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

std::vector<double> values_as_double(const Array& array) {
  const auto convert = [&]<class T>(T) {
    const std::span<const T> values = values_of<T>(array);
    return std::vector<double>(values.begin(), values.end());
  };
  switch (array.dtype) {
    case DType::b1: {
      std::vector<double> values(
          array.data.size());  // a byte that is neither 0 nor 1 is no bool: do not read one
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = array.data[i] != 0;
      return values;
    }
    case DType::u1: return convert(std::uint8_t{});
    case DType::u2: return convert(std::uint16_t{});
    case DType::u4: return convert(std::uint32_t{});
    case DType::u8: return convert(std::uint64_t{});
    case DType::i1: return convert(std::int8_t{});
    case DType::i2: return convert(std::int16_t{});
    case DType::i4: return convert(std::int32_t{});
    case DType::i8: return convert(std::int64_t{});
    case DType::f4: return convert(float{});
    case DType::f8: break;
  }
  return convert(double{});
}

Bytes npy_header(DType type, const Shape& shape) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", dtype_code(type),
                                 shape_text(shape));
  const std::size_t unpadded = 10 + text.size() + 1;
  text.append((64 - unpadded % 64) % 64, ' ');
  text += '\n';
  std::string header(kMagic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, text.size() & 0xff, text.size() >> 8})
    header += static_cast<char>(byte);
  header += text;
  return {header.begin(), header.end()};
}

Array parse_npy(Bytes file, const std::string& where, OrderTaken taken) {
  const HeaderPlace place = find_header(file, where);
  HeaderReader reader({reinterpret_cast<const char*>(file.data()) + place.begin, place.length}, where);
  std::optional<std::string> code;
  std::optional<bool> fortran;
  std::optional<Shape> shape;
  reader.expect('{');
  while (!reader.take('}')) {
    const std::string_view key = reader.string();
    reader.expect(':');
    if (key == "descr") {
      if (reader.take('[')) throw DataError(fmt::format("{}: records with named fields are not read", where));
      code = reader.string();
    } else if (key == "fortran_order") fortran = reader.boolean();
    else if (key == "shape") shape = reader.tuple();
    else reader.fail();
    if (!reader.take(',')) {
      reader.expect('}');
      break;
    }
  }
  if (!code || !fortran || !shape) reader.fail();

  Array array{.dtype = dtype_from(*code, where), .shape = std::move(*shape)};
  if (*fortran && array.shape.size() > 1) array.order = ArrayOrder::fortran;
  if (array.order == ArrayOrder::fortran && taken == OrderTaken::c_only)
    throw DataError(fmt::format("{}: lies in Fortran order; save it with numpy.ascontiguousarray", where));
  const std::uint64_t found = file.size() - place.begin - place.length;
  const std::optional<std::uint64_t> promised = bytes_of(array.dtype, array.shape);
  if (!promised || *promised != found)
    throw DataError(fmt::format("{}: {} of shape {} does not have {} bytes of data", where,
                                dtype_word(array.dtype), shape_text(array.shape), found));
  file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(place.begin + place.length));
  array.data = std::move(file);
  return array;
}

Array read_npy(const std::filesystem::path& path, OrderTaken taken) {
  return parse_npy(read_bytes(path), path.string(), taken);
}

void write_npy(const std::filesystem::path& path, DType type, const Shape& shape,
               std::span<const std::uint8_t> data) {
  if (bytes_of(type, shape) != data.size())
    throw std::logic_error(fmt::format("write_npy: {} bytes are not {} of shape {}", data.size(),
                                       dtype_word(type), shape_text(shape)));
  std::ofstream out(path, std::ios::binary);
  const Bytes header = npy_header(type, shape);
  for (const std::span<const std::uint8_t> part : {std::span<const std::uint8_t>(header), data})
    out.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
  out.close();
  if (!out) throw DataError(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace shoal
