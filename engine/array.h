// A large, zeroed, aligned array. Beyond a few megabytes it asks for huge pages: the panels of a population
// are walked in strides that would miss in the page tables otherwise.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include <sys/mman.h>

namespace shoal {

template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  explicit Array(std::size_t count) : count_(count) {
    if (count == 0) return;
    constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;
    const std::size_t alignment = bytes() >= 2 * kHugePage ? kHugePage : kLine;
    const std::size_t room = (bytes() + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, room);
    if (!memory) throw std::bad_alloc();
    if (alignment == kHugePage) madvise(memory, room, MADV_HUGEPAGE);  // advice: a refusal changes nothing
    std::memset(memory, 0, room);
    data_.reset(static_cast<T*>(memory));
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::size_t count_ = 0;
  std::unique_ptr<T, Free> data_;
};

}  // namespace shoal
