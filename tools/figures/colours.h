// Colours of figures: a perceptually uniform map for ordered things, and hues that stay apart for everyone
// for the others.
#pragma once

#include <string>

namespace shoal {

/// Viridis (Smith & van der Walt 2015) as "#rrggbb"; t in [0, 1], dark to light.
std::string viridis(double t);

/// Okabe & Ito 2008: told apart with any colour vision.
inline constexpr const char* kBlue = "#0072b2";
inline constexpr const char* kVermillion = "#d55e00";
inline constexpr const char* kGreen = "#009e73";
inline constexpr const char* kOrange = "#e69f00";
inline constexpr const char* kSky = "#56b4e9";
inline constexpr const char* kPurple = "#cc79a7";
inline constexpr const char* kBlack = "#222222";
inline constexpr const char* kGrey = "#767676";

}  // namespace shoal
