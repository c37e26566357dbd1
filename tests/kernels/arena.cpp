#include "tests/kernels/arena.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace shoal::test {
namespace {

constexpr std::size_t kZone = 512;             // bytes; keeps every alignment that a machine may want
constexpr std::uint32_t kCanary = 0x7FC0DEAD;  // a NaN
const std::vector<std::uint32_t> kZoneValues(kZone / sizeof(kCanary), kCanary);

}  // namespace

Arena::Arena(const TestMachine& machine) : machine_(machine), stream_(machine.memory.open_stream()) {}

Arena::~Arena() {
  for (const Array& a : arrays_) machine_.memory.release(a.begin - a.zone);
  machine_.memory.close_stream(stream_);
}

void* Arena::add(std::size_t bytes, const char* name) {
  // The zone behind begins at the very next float.
  const std::size_t padded = (bytes + 3) / 4 * 4, zone = machine_.guards_memory ? 0 : kZone;
  auto* base = static_cast<std::byte*>(machine_.memory.allocate(std::max<std::size_t>(padded + 2 * zone, 4)));
  if (zone != 0) {
    upload(base, kZoneValues.data(), kZone);
    // A GPU's memory does not come filled.
    const std::vector<std::byte> fill(padded, std::byte{0xFF});
    if (machine_.is_device && !machine_.is_emulated) upload(base + kZone, fill.data(), padded);
    upload(base + kZone + padded, kZoneValues.data(), kZone);
  }
  arrays_.push_back({base + zone, padded, zone, name});
  return base + zone;
}

std::size_t Arena::size_of(const void* p) const {
  for (const Array& a : arrays_)
    if (a.begin == p) return a.bytes;
  throw std::logic_error("not an array of this arena");
}

void Arena::upload(void* device, const void* host, std::size_t bytes) {
  machine_.memory.upload(device, host, bytes, stream_);
}

void Arena::download(void* host, const void* device, std::size_t bytes) const {
  machine_.memory.download(host, device, bytes, stream_);
}

std::string Arena::touched() const {
  std::vector<std::uint32_t> zone(kZoneValues.size());
  for (const Array& a : arrays_) {
    if (a.zone == 0) continue;
    for (const std::byte* at : {a.begin - kZone, a.begin + a.bytes}) {
      download(zone.data(), at, kZone);
      if (zone != kZoneValues) return a.name;
    }
  }
  return "";
}

}  // namespace shoal::test
