// SPDX-License-Identifier: MIT
//
// Colour averaging is not used, but ALE's own file would still compute its table, which takes 0.27 s.

#include "ale/environment/phosphor_blend.hpp"

namespace ale {

PhosphorBlend::PhosphorBlend(stella::OSystem* osystem) : m_osystem(osystem) {}

void PhosphorBlend::process(ALEScreen&) { __builtin_trap(); }

}  // namespace ale
