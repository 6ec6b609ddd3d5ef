// Lines and objects.
#include "mlp/program/serve_log.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "mlp/tables/table.h"
#include "paillier/error.h"
#include "protocols/conversion/switch_key.h"
#include "protocols/transport/utc.h"

namespace smlp {

namespace {

using Json = nlohmann::ordered_json;

/// As a line of text.
std::string line_of(const CallRecord& call) {
  const Header& header = call.header;
  std::string out = utc_text() + (call.peer.empty() ? "" : " " + call.peer);
  if (call.turned_away)
    return one_line(
        out + " turned away, " + call.what + ": " + call.refusal +
        (call.left_out == 0 ? "" : " (and " + count_text(call.left_out, "other call") + " before)"));
  if (!header.protocol.empty()) {
    const std::optional<Purpose> purpose = purpose_of(header);
    const char* for_what = !purpose ? "" : *purpose == Purpose::answers ? " for answers" : " for a model";
    out += " session " + short_text(header.session) + " " + header.protocol + for_what + " step " +
           std::to_string(header.operation.step) + " layer " + std::to_string(header.operation.layer) + ", " +
           std::to_string(header.layout.rows()) + " x " + std::to_string(header.layout.cols());
  } else {
    out += " " + call.what;
  }
  out += ": " + bytes_text(static_cast<double>(call.request_bytes)) + " in, " +
         bytes_text(static_cast<double>(call.answer_bytes)) + " out, " + fixed_text(call.seconds, 3) + " s";
  return one_line(call.refusal.empty() ? out : out + ", refused: " + call.refusal);
}

/// The same as fields.
Json fields_of(const CallRecord& call) {
  Json out{{"name", call.peer}, {"call", call.what}};
  if (call.turned_away) {
    out.update({{"reason", name(call.reason)}, {"refusal", call.refusal}, {"left_out", call.left_out}});
    return out;
  }
  const Header& header = call.header;
  if (!header.protocol.empty()) {
    out["session"] = short_text(header.session);
    out["protocol"] = header.protocol;
    if (const std::optional<Purpose> purpose = purpose_of(header))
      out["purpose"] = *purpose == Purpose::answers ? "answers" : "model";
    out["step"] = header.operation.step;
    out["layer"] = header.operation.layer;
    out["rows"] = header.layout.rows();
    out["columns"] = header.layout.cols();
  }
  out["request_bytes"] = call.request_bytes;
  out["answer_bytes"] = call.answer_bytes;
  out["seconds"] = call.seconds;
  if (!call.refusal.empty()) out.update({{"reason", name(call.reason)}, {"refusal", call.refusal}});
  return out;
}

}  // namespace

LogFormat log_format_from_name(const std::string& name) {
  if (name == "text") return LogFormat::text;
  if (name == "json") return LogFormat::json;
  throw Error("--log is " + in_quotes(name) + ", allowed are text and json");
}

void ServeLog::write(std::string_view event, const std::string& line, const Json& fields) {
  if (format_ == LogFormat::text) return console_.result(line);
  Json object{{"time", utc_text()}, {"event", event}};
  object.update(fields);
  // ASCII, whatever a caller's certificate says: no terminal takes a name for a command.
  console_.log(object.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void ServeLog::call(const CallRecord& call) {
  if (call.reason == Refusal::busy || call.reason == Refusal::unfinished) return;
  const std::lock_guard lock(mutex_);
  if (!call.refusal.empty() || !console_.is_quiet())
    write(call.turned_away ? "turned_away" : "call", format_ == LogFormat::text ? line_of(call) : "",
          format_ == LogFormat::json ? fields_of(call) : Json());
  if (call.turned_away) {
    turned_away_ += 1 + call.left_out;
    return;
  }
  Sum& sum = sums_[call.peer];
  ++sum.requests;
  sum.refused += call.refusal.empty() ? 0 : 1;
  sum.bytes += call.request_bytes + call.answer_bytes;
  sum.seconds += call.seconds;
}

void ServeLog::say(std::string_view event, const std::string& line, const Json& fields) {
  const std::lock_guard lock(mutex_);
  write(event, line, fields);
}

void ServeLog::warn(const std::string& sentence) {
  const std::lock_guard lock(mutex_);
  if (format_ == LogFormat::json) return write("warning", "", {{"message", sentence}});
  console_.warning("warning: " + sentence);
}

void ServeLog::say_sums() {
  const std::lock_guard lock(mutex_);
  for (const auto& [peer, sum] : sums_)
    write("sum",
          peer + ": " + count_text(sum.requests, "request") + ", " + std::to_string(sum.refused) +
              " refused, " + bytes_text(static_cast<double>(sum.bytes)) + ", " + duration_text(sum.seconds) +
              " of computing",
          {{"name", peer},
           {"requests", sum.requests},
           {"refused", sum.refused},
           {"bytes", sum.bytes},
           {"seconds", sum.seconds}});
  if (turned_away_ > 0)
    write("sum_turned_away", count_text(turned_away_, "call") + " turned away", {{"calls", turned_away_}});
}

}  // namespace smlp
