#include <fcntl.h>
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "engine/safetensors_parts.h"

namespace shoal {

using namespace safetensors;

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

}  // namespace shoal
