// Arrays on a machine, each between two canary zones that no op may touch. The canaries are NaN when read as
// floats, so a stray read shows in the results. Where the build guards memory by itself, arrays are allocated
// exactly instead: its guards see a stray access in the act.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/kernels/machines.h"

namespace shoal::test {

class Arena {
 public:
  explicit Arena(const TestMachine&);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Room for `count` values, filled with bytes 0xFF (NaN); for the emulation's checker: not written yet.
  template <class T>
  T* room(std::size_t count, const char* name) {
    return static_cast<T*>(add(count * sizeof(T), name));
  }
  template <class T>
  T* put(const std::vector<T>& values, const char* name) {
    T* p = room<T>(values.size(), name);
    set(p, values);
    return p;
  }
  template <class T>
  void set(T* p, const std::vector<T>& values) {
    upload(p, values.data(), values.size() * sizeof(T));
  }
  template <class T>
  std::vector<T> get(const T* p) const {
    std::vector<T> values(size_of(p) / sizeof(T));
    download(values.data(), p, values.size() * sizeof(T));
    return values;
  }

  /// Name of the first array whose canaries were touched, or "".
  std::string touched() const;
  void* stream() const { return stream_; }

 private:
  struct Array {
    std::byte* begin;  // of the values
    std::size_t bytes, zone;
    const char* name;
  };

  void* add(std::size_t bytes, const char* name);
  std::size_t size_of(const void*) const;
  void upload(void*, const void*, std::size_t);
  void download(void*, const void*, std::size_t) const;

  const TestMachine& machine_;
  void* stream_;
  std::vector<Array> arrays_;
};

}  // namespace shoal::test
