#include "engine/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace shoal {
namespace {

constexpr std::int64_t kMaxHeader = 100'000'000;  // bytes; the limit of the reference implementation
constexpr std::string_view kMetadata = "__metadata__";

struct DTypeName {
  std::string_view name;
  int bytes;
};
constexpr DTypeName kOurs[] = {
    {"F32", 4}, {"F64", 8}, {"I32", 4}, {"I64", 8}, {"U8", 1}};  // as in TensorType
constexpr DTypeName kOthers[] = {{"F16", 2}, {"BF16", 2},    {"I16", 2},    {"I8", 1},
                                 {"U16", 2}, {"U32", 4},     {"U64", 8},    {"BOOL", 1},
                                 {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

DTypeName describe(TensorType dtype) { return kOurs[static_cast<int>(dtype)]; }

/// Bytes of an element; 0 for a type that is not known.
int element_bytes(std::string_view dtype) {
  for (const DTypeName& d : kOurs)
    if (d.name == dtype) return d.bytes;
  for (const DTypeName& d : kOthers)
    if (d.name == dtype) return d.bytes;
  return 0;
}

/// Bytes of a tensor; -1 when they do not fit 63 bits.
std::int64_t extent_of(const std::vector<std::int64_t>& shape, int bytes) {
  std::int64_t extent = bytes;
  for (const std::int64_t n : shape)
    if (n < 0 || __builtin_mul_overflow(extent, n, &extent)) return -1;
  return extent;
}

std::string system_message() { return std::generic_category().message(errno); }

/// An open file that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd; }
  bool is_open() const { return fd >= 0; }
  void hold(int opened) { close(), fd = opened; }
  /// False when the system reports an error that it had held back.
  bool close() { return fd < 0 || ::close(std::exchange(fd, -1)) == 0; }

 private:
  int fd = -1;
};

}  // namespace

std::string extents_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// ---------------------------------------------------------------------------------------------- writing

struct SafetensorsWriter::State {
  struct Tensor {
    TensorType dtype;
    std::int64_t begin, end;  // bytes in the file
    std::int64_t written = 0;
  };
  std::filesystem::path path, temporary;
  Descriptor file;
  std::unordered_map<std::string, Tensor> tensors;

  ~State() {
    if (file.is_open()) ::unlink(temporary.c_str());
  }
  [[noreturn]] void fail() const {
    throw WeightsError(fmt::format("cannot write {}: {}", path.string(), system_message()));
  }
  void open();
  void reserve(std::int64_t bytes);
  void write(const void* data, std::int64_t bytes, std::int64_t offset);
  void lay_out(const std::vector<TensorSpec>&, const std::map<std::string, std::string>& metadata);
};

/// A name of its own in the same directory, so that the rename cannot cross a file system.
void SafetensorsWriter::State::open() {
  for (int attempt = 0;; ++attempt) {
    temporary = path;
    temporary.replace_filename(
        fmt::format(".{}.{}-{}.tmp", path.filename().string(), static_cast<long>(::getpid()), attempt));
    const int fd = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd >= 0) {
      file.hold(fd);
      return;
    }
    if (errno != EEXIST) fail();
  }
}

/// Claims the room now, where the file system can: better no disk space before training than after it.
void SafetensorsWriter::State::reserve(std::int64_t bytes) {
  if (::fallocate(file.get(), 0, 0, bytes) == 0) return;
  if (errno != EOPNOTSUPP && errno != ENOSYS) fail();
  if (::ftruncate(file.get(), bytes) != 0) fail();
}

void SafetensorsWriter::State::write(const void* data, std::int64_t bytes, std::int64_t offset) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t done = ::pwrite(file.get(), from, static_cast<std::size_t>(bytes), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done == 0) errno = ENOSPC;
    if (done <= 0) fail();
    from += done, offset += done, bytes -= done;
  }
}

/// Writes the header and decides where every tensor stands: larger elements first, as the reference
/// implementation does, so that data which are mapped into memory are aligned.
void SafetensorsWriter::State::lay_out(const std::vector<TensorSpec>& specs,
                                       const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorSpec*> order;
  for (const TensorSpec& s : specs) order.push_back(&s);
  std::stable_sort(order.begin(), order.end(), [](const TensorSpec* a, const TensorSpec* b) {
    return describe(a->dtype).bytes > describe(b->dtype).bytes;
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  std::int64_t end = 0;
  for (const TensorSpec* s : order) {
    const DTypeName dtype = describe(s->dtype);
    const std::int64_t begin = end, extent = extent_of(s->shape, dtype.bytes);
    if (extent < 0 || __builtin_add_overflow(begin, extent, &end))
      throw std::invalid_argument(
          fmt::format("tensor \"{}\": shape {} cannot be", s->name, extents_text(s->shape)));
    if (s->name == kMetadata || !tensors.emplace(s->name, Tensor{s->dtype, begin, end}).second)
      throw std::invalid_argument(fmt::format("tensor name \"{}\" is taken", s->name));
    // Straight into the container: ordered_json's own insertion looks the key up by walking through all.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        s->name,
        nlohmann::ordered_json{{"dtype", dtype.name}, {"shape", s->shape}, {"data_offsets", {begin, end}}});
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (std::ssize(text) > kMaxHeader)
    throw std::invalid_argument(fmt::format("{} tensors are too many for one file", specs.size()));
  const std::uint64_t length = text.size();
  const std::int64_t data = 8 + std::ssize(text);
  for (auto& [name, tensor] : tensors) tensor.begin += data, tensor.end += data;
  open();
  reserve(data + end);
  write(&length, 8, 0);
  write(text.data(), std::ssize(text), 8);
}

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path, const std::vector<TensorSpec>& tensors,
                                     const std::map<std::string, std::string>& metadata)
    : state(std::make_unique<State>()) {
  state->path = std::move(path);
  state->lay_out(tensors, metadata);
}
SafetensorsWriter::~SafetensorsWriter() = default;
SafetensorsWriter::SafetensorsWriter(SafetensorsWriter&&) noexcept = default;
SafetensorsWriter& SafetensorsWriter::operator=(SafetensorsWriter&&) noexcept = default;

void SafetensorsWriter::write_bytes(std::string_view name, TensorType dtype, const void* data,
                                    std::size_t count, std::int64_t first) {
  const auto found = state->tensors.find(std::string(name));
  if (found == state->tensors.end())
    throw std::invalid_argument(fmt::format("{} has no tensor \"{}\"", state->path.string(), name));
  State::Tensor& t = found->second;
  const int bytes = describe(dtype).bytes;
  const std::int64_t room = (t.end - t.begin) / bytes, n = static_cast<std::int64_t>(count);
  if (dtype != t.dtype || first < 0 || first > room || n > room - first)
    throw std::invalid_argument(fmt::format("{}: {} elements {} from {} do not fit tensor \"{}\"",
                                            state->path.string(), n, describe(dtype).name, first, name));
  state->write(data, n * bytes, t.begin + first * bytes);
  t.written += n * bytes;
}

void SafetensorsWriter::finish() {
  State& s = *state;
  for (const auto& [name, tensor] : s.tensors)
    if (tensor.written != tensor.end - tensor.begin)
      throw std::invalid_argument(
          fmt::format("{}: tensor \"{}\" was not written once in full", s.path.string(), name));
  // The data have to be on the disk before the name is: after a crash there is the old file or the new one.
  if (::fsync(s.file.get()) != 0) s.fail();
  if (::rename(s.temporary.c_str(), s.path.c_str()) != 0) s.fail();
  if (!s.file.close()) s.fail();
  const std::filesystem::path folder = s.path.has_parent_path() ? s.path.parent_path() : ".";
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.get());  // some file systems refuse; the file itself is safe
}

// ---------------------------------------------------------------------------------------------- reading

namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view reason) {
  throw WeightsError(fmt::format("{}: {}", path.string(), reason));
}

/// JSON of a header, whose objects must not name a thing twice (the parser alone would keep the last one).
nlohmann::json parse_header(const std::filesystem::path& path, const std::string& text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 3) refuse(path, "the header is nested deeper than a safetensors header");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
      refuse(path, fmt::format("the header names \"{}\" twice", parsed.get<std::string>()));
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception&) {
    refuse(path, "the header is not JSON, so this is not a safetensors file or it is damaged");
  }
}

bool is_offset(const nlohmann::json& j) {
  return j.is_number_unsigned() &&
         j.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

bool is_offset_list(const nlohmann::json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_array() && std::all_of(found->begin(), found->end(), is_offset);
}

TensorInfo parse_tensor(const std::filesystem::path& path, const std::string& name,
                        const nlohmann::json& entry, std::int64_t data_bytes) {
  const auto bad = [&](std::string_view reason) {
    refuse(path, fmt::format("tensor \"{}\" {}", name, reason));
  };
  if (!entry.is_object()) bad("is described by something that is not a JSON object");
  if (!entry.contains("dtype") || !entry["dtype"].is_string()) bad("has no dtype");
  if (!is_offset_list(entry, "shape")) bad("has no shape of whole numbers");
  if (!is_offset_list(entry, "data_offsets") || entry["data_offsets"].size() != 2)
    bad("has no pair of data_offsets");
  TensorInfo info{name, entry["dtype"], entry["shape"], entry["data_offsets"][0], entry["data_offsets"][1]};
  if (info.begin > info.end) bad(fmt::format("ends at {} before it begins at {}", info.end, info.begin));
  if (info.end > data_bytes)
    bad(fmt::format("ends at byte {} of the data, but the file has {}: it is cut short or damaged", info.end,
                    data_bytes));
  const int bytes = element_bytes(info.dtype);
  const std::int64_t extent = extent_of(info.shape, bytes);
  if (bytes > 0 && extent != info.end - info.begin)
    bad(fmt::format("of shape {} and type {} takes {} bytes, but its data_offsets hold {}",
                    extents_text(info.shape), info.dtype, extent < 0 ? "too many" : fmt::format("{}", extent),
                    info.end - info.begin));
  return info;
}

/// Sorted by place; the data must be described without gaps or overlaps, as the format demands.
void check_cover(const std::filesystem::path& path, std::vector<TensorInfo>& tensors,
                 std::int64_t data_bytes) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::int64_t end = 0;
  for (std::size_t i = 0; i < tensors.size(); end = tensors[i++].end) {
    if (tensors[i].begin < end)
      refuse(path, fmt::format("tensors \"{}\" and \"{}\" overlap", tensors[i - 1].name, tensors[i].name));
    if (tensors[i].begin > end)
      refuse(path, fmt::format("{} bytes before tensor \"{}\" belong to nothing", tensors[i].begin - end,
                               tensors[i].name));
  }
  if (end != data_bytes) refuse(path, fmt::format("the last {} bytes belong to nothing", data_bytes - end));
}

void read_at(const std::filesystem::path& path, const Descriptor& file, void* out, std::int64_t bytes,
             std::int64_t offset) {
  char* to = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t done = ::pread(file.get(), to, static_cast<std::size_t>(bytes), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) refuse(path, fmt::format("cannot be read: {}", system_message()));
    if (done == 0) refuse(path, "has become shorter while it was read");
    to += done, offset += done, bytes -= done;
  }
}

}  // namespace

struct SafetensorsFile::State {
  explicit State(std::filesystem::path p)
      // Without O_NONBLOCK a pipe that nobody writes would be waited for.
      : path(std::move(p)), file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  std::filesystem::path path;
  Descriptor file;
  std::int64_t data = 0;  // first byte of the data in the file
  std::vector<TensorInfo> tensors;
  std::unordered_map<std::string, std::size_t> index;
  std::map<std::string, std::string> metadata;

  std::int64_t size() const;
  std::string read_header(std::int64_t file_bytes);
  void read_metadata(const nlohmann::json&);
};

std::int64_t SafetensorsFile::State::size() const {
  if (!file.is_open()) refuse(path, fmt::format("cannot be opened: {}", system_message()));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) refuse(path, fmt::format("cannot be read: {}", system_message()));
  if (S_ISDIR(facts.st_mode)) refuse(path, "is a directory, not a safetensors file");
  if (!S_ISREG(facts.st_mode)) refuse(path, "is not a regular file");
  return facts.st_size;
}

std::string SafetensorsFile::State::read_header(std::int64_t file_bytes) {
  if (file_bytes < 8) refuse(path, fmt::format("has {} bytes, too few for a safetensors file", file_bytes));
  std::uint64_t length = 0;
  read_at(path, file, &length, 8, 0);
  if (length > static_cast<std::uint64_t>(file_bytes - 8))
    refuse(path, fmt::format("promises a header of {} bytes but has only {} behind its length: it is not a "
                             "safetensors file or it is cut short",
                             length, file_bytes - 8));
  if (length > static_cast<std::uint64_t>(kMaxHeader))
    refuse(path,
           fmt::format("has a header of {} bytes; {} is the most the format allows", length, kMaxHeader));
  std::string text(length, '\0');
  read_at(path, file, text.data(), static_cast<std::int64_t>(length), 8);
  data = 8 + static_cast<std::int64_t>(length);
  return text;
}

void SafetensorsFile::State::read_metadata(const nlohmann::json& entry) {
  if (!entry.is_object()) refuse(path, "its __metadata__ are not a JSON object");
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) refuse(path, fmt::format("its metadata \"{}\" are not a string", key));
    metadata.emplace(key, value);
  }
}

SafetensorsFile::SafetensorsFile(std::filesystem::path where)
    : state(std::make_unique<State>(std::move(where))) {
  State& s = *state;
  const std::int64_t bytes = s.size();
  const nlohmann::json header = parse_header(s.path, s.read_header(bytes));
  if (!header.is_object()) refuse(s.path, "the header is not a JSON object");
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) {
      s.read_metadata(entry);
    } else {
      s.tensors.push_back(parse_tensor(s.path, name, entry, bytes - s.data));
    }
  }
  check_cover(s.path, s.tensors, bytes - s.data);
  for (std::size_t i = 0; i < s.tensors.size(); ++i) s.index.emplace(s.tensors[i].name, i);
}
SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::filesystem::path& SafetensorsFile::path() const { return state->path; }
const std::vector<TensorInfo>& SafetensorsFile::tensors() const { return state->tensors; }
const std::map<std::string, std::string>& SafetensorsFile::metadata() const { return state->metadata; }
bool SafetensorsFile::contains(std::string_view name) const {
  return state->index.contains(std::string(name));
}

const TensorInfo& SafetensorsFile::tensor(std::string_view name) const {
  const auto found = state->index.find(std::string(name));
  if (found != state->index.end()) return state->tensors[found->second];
  if (state->tensors.empty())
    refuse(state->path, fmt::format("has no tensor \"{}\"; it has none at all", name));
  refuse(state->path, fmt::format("has no tensor \"{}\"; the first of its {} is \"{}\"", name,
                                  state->tensors.size(), state->tensors.front().name));
}

std::size_t SafetensorsFile::expect(std::string_view name, TensorType dtype,
                                    const std::vector<std::int64_t>& shape) const {
  const TensorInfo& info = tensor(name);
  const DTypeName wanted = describe(dtype);
  if (info.dtype != wanted.name)
    refuse(state->path,
           fmt::format("tensor \"{}\" has type {}, but {} is needed", name, info.dtype, wanted.name));
  if (info.shape != shape)
    refuse(state->path, fmt::format("tensor \"{}\" has shape {}, but {} is needed", name,
                                    extents_text(info.shape), extents_text(shape)));
  return static_cast<std::size_t>((info.end - info.begin) / wanted.bytes);
}

void SafetensorsFile::read_bytes(std::string_view name, TensorType dtype,
                                 const std::vector<std::int64_t>& shape, void* out, std::size_t count) const {
  if (count != expect(name, dtype, shape))
    throw std::invalid_argument(
        fmt::format("room for {} elements of tensor \"{}\" of shape {}", count, name, extents_text(shape)));
  const TensorInfo& info = tensor(name);
  read_at(state->path, state->file, out, info.end - info.begin, state->data + info.begin);
}

}  // namespace shoal
