// What TlsTrust holds: for the files that know OpenSSL.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "core/http/tls_context.hpp"

namespace mirror::http {

class TlsTrust {
  public:
    TlsTrust() : context(boost::asio::ssl::context::tls_client) {}
    boost::asio::ssl::context context;
};

}  // namespace mirror::http
