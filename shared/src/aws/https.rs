//! The SDK's HTTP client: hyper and rustls on ring, HTTP/1.1 alone. The SDK's own client always brings HTTP/2, which `DynamoDB`, SES and
//! SQS do not speak, and reads the system's root certificates once for each service.

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
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long a TCP connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// One TLS configuration, with the system's root certificates, for all clients. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Https(HttpsConnector<Tcp>);

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
        tcp.set_connect_timeout(Some(CONNECT));
        let provider = rustls::crypto::ring::default_provider();
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?;
        Ok(Self(tls.https_or_http().enable_http1().wrap_connector(tcp)))
    }

    /// A client with connections of its own, which it keeps for later calls.
    #[must_use]
    pub(super) fn client(&self) -> SharedHttpClient {
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(self.0.clone());
        let connector = SharedHttpConnector::new(Connector(client));
        http_client_fn(move |_settings, _components| connector.clone())
    }
}

#[derive(Debug)]
struct Connector(Client<HttpsConnector<Tcp>, SdkBody>);

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
            let response = response.await.map_err(classified)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK keep a connection from being used again, after a time-out for example.
fn metadata(connection: CaptureConnection) -> ConnectionMetadata {
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(poison).build()
}

/// What the SDK's retries go by: whether the network failed.
fn classified(error: legacy::Error) -> ConnectorError {
    let mut causes = successors(error.source(), |cause| Error::source(*cause));
    let failure = causes.find_map(|cause| cause.downcast_ref::<hyper::Error>());
    let is_cut_short = failure.is_some_and(hyper::Error::is_incomplete_message);
    let is_ours = failure.is_some_and(hyper::Error::is_user);
    if is_cut_short {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else if is_ours {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
