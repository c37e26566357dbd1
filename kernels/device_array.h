// An array in a device's memory.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "kernels/machine.h"

namespace shoal {

/// Memory on a device, freed with its owner. The machine must outlive it.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const DeviceMachine& machine, std::size_t count) : machine_(&machine), count_(count) {
    if (count) data_ = static_cast<T*>(machine.memory.allocate(count * sizeof(T)));
  }
  DeviceArray(const DeviceMachine& machine, std::span<const T> values, void* stream)
      : DeviceArray(machine, values.size()) {
    upload(values, stream);
  }
  DeviceArray(DeviceArray&& other) noexcept { *this = std::move(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(machine_, other.machine_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~DeviceArray() {
    if (data_) machine_->memory.release(data_);
  }

  T* get() const { return data_; }
  std::size_t size() const { return count_; }
  void upload(std::span<const T> values, void* stream) const {
    if (count_) machine_->memory.upload(data_, values.data(), values.size_bytes(), stream);
  }
  void download(T* host, void* stream) const {
    if (count_) machine_->memory.download(host, data_, count_ * sizeof(T), stream);
  }
  void clear(void* stream) const {
    if (count_) machine_->memory.clear(data_, count_ * sizeof(T), stream);
  }

 private:
  const DeviceMachine* machine_ = nullptr;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace shoal
