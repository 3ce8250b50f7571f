#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "services/logs/log_store.h"

// Page tokens. Opaque to clients; one that is not ours is InvalidParameterException.
namespace virga::logs {

// GetLogEvents' "f/…/s" and "b/…/s": a direction and a place between two events.
struct EventToken {
  storage::Direction direction = storage::Direction::forward;
  Position at;
};
std::string make_event_token(storage::Direction direction, const Position& at);
Result<EventToken> read_event_token(std::string_view token);

// Lists' and FilterLogEvents' tokens around a text.
std::string make_token(std::string_view inside);
Result<std::string> read_token(const std::optional<std::string>& token);  // empty for an absent one

// 56 digits, as events' ids and sequence tokens are.
std::string position_digits(const Position& at);
std::optional<Position> read_position_digits(std::string_view digits);

}  // namespace virga::logs
