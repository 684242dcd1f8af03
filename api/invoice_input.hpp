// Invoices and their lines as both faces read them. Amounts are exact: text with at most six
// decimals or a whole number; Cloudesire's clients also send numbers with decimals, which count as
// the shortest text that means them. Limits: limits::invoice_lines_max.
// Errors: those of object_reader. Not shared between threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/input.hpp"
#include "core/lifecycle/invoice.hpp"

namespace syndicated::api {

enum class line_form : std::uint8_t { native, cloudesire };

// The lines of an array whose pointer is `base`; mistakes through `in`.
std::vector<core::invoice_line> read_lines(object_reader& in, const json& list,
                                           const std::string& base, line_form form);
// A whole body of Cloudesire's form: the list, or an object whose `lines` it is.
core::result<std::vector<core::invoice_line>> read_line_body(const json& body);

// kind, state, due_at, reference, lines.
core::result<core::new_invoice> read_new_invoice(const json& body);
// state, due_at.
core::result<core::invoice_edit> read_invoice_edit(const json& body);
// Cloudesire's: `paid`, or `paymentStatus` (also `status`) in any case.
core::result<core::invoice_edit> read_payment(const json& body);

}  // namespace syndicated::api
