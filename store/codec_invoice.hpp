// Lines of invoices, which are in the rows of invoices and in their subscription's record.
// Internal to store/ (includes protobuf).
#pragma once

#include <vector>

#include "core/lifecycle/invoice.hpp"
#include "store/records.pb.h"

namespace syndicated::store {

using line_records = google::protobuf::RepeatedPtrField<records::InvoiceLine>;
void put_lines(line_records& to, const std::vector<core::invoice_line>& from);
std::vector<core::invoice_line> get_lines(const line_records& from);

}  // namespace syndicated::store
