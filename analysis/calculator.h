// Where statistics are computed: the CPU with its threads, or a device with its memory. Host arrays go in and
// come out; the ops of kernels/statistics.h run in between.
//
//   const Input<double> values(calculator, samples.values);      // on a device: a copy there
//   const Output<double> results(calculator, host_results);      // std::span over the caller's memory
//   calculator.over_samples(offsets, [&](std::int64_t first, std::int64_t last, void* stream) {
//     calculator.ops().some_op({values.get(), ..., results.get() + first}, stream);
//   });
//   results.fetch();                                              // on a device: back to host_results
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kernels/device_array.h"
#include "kernels/machine.h"

namespace shoal {

/// A machine ready for statistics. To be used from one thread at a time; arrays made with it must not outlive
/// it. DeviceError when the machine is not there.
class Calculator {
 public:
  explicit Calculator(const MachineSpec& = {});
  ~Calculator();
  Calculator(const Calculator&) = delete;
  Calculator& operator=(const Calculator&) = delete;

  const StatisticsOps& ops() const { return *ops_; }
  /// Null on the CPU.
  const DeviceMachine* device() const { return device_.get(); }
  void* stream() const { return stream_; }
  int threads() const { return threads_; }  // 1 on a device
  std::string name() const;                 // "cpu v4, 2 threads" or "cuda: NVIDIA H200 ..."

  /// Runs body(task) for 0 .. count - 1: on the threads of the CPU, one after the other on a device. Who
  /// keeps tasks independent and merges in their order has the same bits on any number of threads.
  void for_each(int count, const std::function<void(int task)>& body) const;

  /// Runs body(first, last, stream) for ranges of samples that together are all of them: one call on a
  /// device, calls of about equally many values spread over the threads on the CPU. Returns when the CPU is
  /// done; a device may still be at work until something is fetched.
  void over_samples(
      std::span<const std::int64_t> offsets,
      const std::function<void(std::int64_t first, std::int64_t last, void* stream)>& body) const;

 private:
  std::unique_ptr<DeviceMachine> device_;
  const StatisticsOps* ops_;
  void* stream_ = nullptr;
  int threads_ = 1;
};

/// A host array as an op may read it. The host array must stay as it is while this lives.
template <class T>
class Input {
 public:
  Input(const Calculator& calculator, std::span<const T> host) : data_(host.data()) {
    if (!calculator.device()) return;
    copy_ = DeviceArray<T>(*calculator.device(), host, calculator.stream());
    data_ = copy_.get();
  }
  const T* get() const { return data_; }

 private:
  DeviceArray<T> copy_;
  const T* data_;
};

/// A host array that an op writes, or changes: on a device it begins as a copy of what the host array holds.
template <class T>
class Output {
 public:
  Output(const Calculator& calculator, std::span<T> host)
      : host_(host), data_(host.data()), stream_(calculator.stream()) {
    if (!calculator.device()) return;
    copy_ = DeviceArray<T>(*calculator.device(), std::span<const T>(host), stream_);
    data_ = copy_.get();
  }
  T* get() const { return data_; }
  /// Waits for what is queued, and brings the result into the host array. Nothing to do on the CPU.
  void fetch() const {
    if (copy_.get()) copy_.download(host_.data(), stream_);
  }

 private:
  std::span<T> host_;
  DeviceArray<T> copy_;
  T* data_;
  void* stream_;
};

/// Room that only the ops see, contents undefined: on the CPU ordinary memory.
template <class T>
class Scratch {
 public:
  Scratch(const Calculator& calculator, std::size_t count) {
    if (calculator.device()) copy_ = DeviceArray<T>(*calculator.device(), count);
    else host_ = std::make_unique_for_overwrite<T[]>(count);
  }
  T* get() const { return host_ ? host_.get() : copy_.get(); }

 private:
  DeviceArray<T> copy_;
  std::unique_ptr<T[]> host_;
};

}  // namespace shoal
