#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "engine/safetensors_parts.h"

namespace shoal {

using namespace safetensors;

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
