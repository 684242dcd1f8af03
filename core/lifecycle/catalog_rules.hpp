// What the fields of a product or a plan may be together (domain.md, 1.13, 10.2, 10.8). Pure.
//
// What one field may be by itself (types, sizes, words) was checked where it was read. Errors:
// errc::invalid with every mistake and its pointer.
#pragma once

#include <vector>

#include "core/base/error.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

result<void> check(const product& p);
// `of` is the plan's product.
result<void> check(const plan& p, const product& of);

// Whether what a product declares still has what this plan sells.
bool declares(const product& of, const plan& p) noexcept;

}  // namespace syndicated::core
