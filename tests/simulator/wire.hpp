// HTTP/1.1 as bytes: requests read, replies written, right or wrong as asked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/time/instant.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// Takes requests out of the bytes of one connection.
class RequestReader {
  public:
    RequestReader();
    ~RequestReader();

    enum class State { incomplete, complete, broken };

    /// Adds bytes that were received; none are fine, to go on with those left over.
    State feed(std::string_view bytes);

    /// The request, after State::complete: method, path, parameters and headers.
    Request take();

    /// Whether the client wants the connection of the request just taken to stay.
    bool keep_alive() const { return keep_alive_; }

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
    std::string bytes_;
    bool keep_alive_ = true;
};

/// A reply as it goes out.
struct Wire {
    std::string head;
    std::string body;  ///< framed
};

/// What Wire needs to know beyond the reply.
struct Framed {
    const Behaviour& behaviour;
    const std::optional<Fault>& fault;
    std::optional<std::string> date;
    bool gzip_accepted = false;
    bool keep_alive = true;
};

Wire to_wire(const Reply& reply, const Framed& framed);

/// "Thu, 09 Oct 2014 13:41:46 GMT"
std::string http_date(mirror::Instant at);

}  // namespace simulator
