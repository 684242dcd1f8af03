// Vendors, products, plans: what is sold, and by whom. Plain records (domain.md, 10.2).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {

using string_map = std::map<std::string, std::string>;

struct vendor {
  vendor_id id;
  std::string name;
  string_map metadata;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
  int weight = 1;  // requests that its endpoints are granted in a turn (delivery.md, 1)
};

struct product {
  product_id id;
  vendor_id vendor;
  std::string name;
  std::string sku;
  string_map metadata;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

struct plan_resource {
  std::string name;
  std::int64_t min = 0;
  std::int64_t max = -1;  // -1 = unlimited
  std::int64_t step = 1;
  std::int64_t included = 0;
};

struct plan {
  plan_id id;
  product_id product;
  vendor_id vendor;  // of the product, kept here so that routing needs no second look-up
  std::string name;
  std::string external_id;
  int billing_period_months = 1;
  int trial_days = 0;  // 0 = no trial is sold
  std::vector<plan_resource> resources;
  string_map metadata;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

// A declared name of published events (api.md, 3). Its id is that of the name: type_id_of().
struct event_type {
  event_type_id id;
  std::string name;
  std::string description;
  std::string schema;   // JSON Schema, draft 7, as given; empty: any object
  std::string example;  // JSON object as given, or empty
  bool deleted = false;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

}  // namespace syndicated::core
