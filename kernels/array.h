// A large, zeroed, aligned array. Beyond a few megabytes it asks for huge pages: the panels of a population
// are walked in strides that would miss in the page tables otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include <sys/mman.h>

namespace shoal {

/// Asks for huge pages under memory that is already in use (Linux 6.1 collapses them at once). Only advice: a
/// refusal changes nothing.
inline void advise_huge_pages(const void* memory, std::size_t bytes) {
  constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
  constexpr int kCollapse = 25;  // MADV_COLLAPSE, unknown to the headers of glibc 2.36
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kHugePage - 1) / kHugePage * kHugePage;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / kHugePage * kHugePage;
  if (begin >= end) return;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  madvise(reinterpret_cast<void*>(begin), end - begin, kCollapse);
}

template <class T>
class AlignedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t count) : count_(count) {
    if (count == 0) return;
    constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;
    const std::size_t alignment = bytes() >= 2 * kHugePage ? kHugePage : kLine;
    const std::size_t room = (bytes() + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, room);
    if (!memory) throw std::bad_alloc();
    if (alignment == kHugePage) madvise(memory, room, MADV_HUGEPAGE);
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
