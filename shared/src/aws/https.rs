//! The SDK's HTTP client: hyper and rustls with ring, HTTP/1.1 only. The SDK's default client always includes HTTP/2, which `DynamoDB`, SES
//! and SQS do not support, and reads the system's root certificates once per service.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

const TCP_TIMEOUT: Duration = Duration::from_secs(1);

/// For DNS, TCP and TLS together. Shorter than SES's timeout: without a connection it is certain that no mail was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

type Connect = TimeoutConnector<HttpsConnector<Tcp>>;

/// The TLS configuration for all clients, with the system's root certificates. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Https(Connect);

impl Https {
    /// Reads the system's root certificates.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub(super) fn new() -> io::Result<Self> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(TCP_TIMEOUT));
        let provider = rustls::crypto::ring::default_provider();
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?;
        let mut connect = Connect::new(tls.https_or_http().enable_http1().wrap_connector(tcp));
        connect.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Ok(Self(connect))
    }

    /// A client with its own connection pool.
    #[must_use]
    pub(super) fn client(&self) -> SharedHttpClient {
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(self.0.clone());
        let connector = SharedHttpConnector::new(Connector(client));
        http_client_fn(move |_settings, _components| connector.clone())
    }
}

#[derive(Debug)]
struct Connector(Client<Connect, SdkBody>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || Some(metadata(connection.clone())));
        }
        let response = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = response.await.map_err(connector_error)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK discard a connection, after a timeout for example.
fn metadata(connection: CaptureConnection) -> ConnectionMetadata {
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(poison).build()
}

/// Classifies `error` for the SDK's retries.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let mut causes = successors(error.source(), |cause| Error::source(*cause));
    let cause = causes.find_map(|cause| cause.downcast_ref::<hyper::Error>());
    let is_incomplete = cause.is_some_and(hyper::Error::is_incomplete_message);
    let is_user_error = cause.is_some_and(hyper::Error::is_user);
    if is_incomplete {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else if is_user_error {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
