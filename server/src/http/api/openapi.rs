//! The OpenAPI description of the commands, generated from their types: `GET /api/v1/openapi.json`.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::header;
use protocol::{Ask, Refusal};
use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
    ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::commands::{self, Command, Describe};

/// The refusals that every command may answer.
const REFUSALS: [(&str, &str); 13] = [
    (
        "400",
        "`bad_request`: the body is not what this command expects; `message` says what to change",
    ),
    (
        "401",
        "`not_signed_in`: sign in first, and send the header `Authorization: Bearer TOKEN`",
    ),
    (
        "403",
        "`bad_request`: pages of this origin may not send commands; `HUBBUB_ORIGINS` allows them. `forbidden`: the \
         message is another person's",
    ),
    (
        "404",
        "`room_not_found`: no room has this address. `not_found`: the room has no such message",
    ),
    (
        "408",
        "`bad_request`: the body did not arrive in time; send the command again",
    ),
    (
        "409",
        "`room_exists`: a room with this title already exists; `room` is its address",
    ),
    (
        "410",
        "`gone`: the message was deleted, or belongs to an earlier `epoch`",
    ),
    (
        "413",
        "`too_large`: the body is longer than the limit; send less at a time",
    ),
    (
        "415",
        "`bad_request`: send the body with `Content-Type: application/json`",
    ),
    (
        "421",
        "`bad_request`: the server does not know this host name; `HUBBUB_URL` sets its public address",
    ),
    (
        "429",
        "`rate_limited`: too much from this address; `Retry-After` says when to try again",
    ),
    ("500", "`internal`: a bug in the server; its log has the cause"),
    (
        "503",
        "`busy` or `unavailable`: try again in a moment, with the same `client_id`s; each message is stored once",
    ),
];

static DESCRIPTION: LazyLock<String> = LazyLock::new(|| describe().to_json().unwrap_or_default());

pub async fn serve() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, DESCRIPTION.as_str()).into_response()
}

fn describe() -> OpenApi {
    let mut commands = Commands::default();
    commands::describe(&mut commands);
    let components = commands
        .schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| {
            components.schema(name, schema)
        })
        .security_scheme(
            "token",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("The `token` of the answer to `sign_in`."))
                    .build(),
            ),
        )
        .security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("hubbub_session"))),
        );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Hubbub")
                .version(format!("{}", protocol::PROTOCOL_VERSION))
                .description(Some(
                    "The commands of the namespace `/chat` over HTTP: the same names, shapes, rules and rates. \
                     Events of rooms are sent over Socket.IO only. Every command is a POST request; other methods \
                     get 405.",
                ))
                .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build()))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url("/api/v1").build()]))
        .paths(commands.paths.build())
        .components(Some(components.build()))
        .build()
}

#[derive(Default)]
struct Commands {
    paths: PathsBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Commands {
    fn add<T: ToSchema>(&mut self) {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
    }
}

impl Describe for Commands {
    fn command<C: Command + ToSchema>(&mut self)
    where
        <C as Ask>::Answer: ToSchema,
    {
        self.add::<C>();
        self.add::<<C as Ask>::Answer>();
        self.add::<Refusal>();
        let content = |schema: RefOr<Schema>| ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content(reference::<C>()))
            .required(Some(if C::bare().is_some() {
                Required::False
            } else {
                Required::True
            }))
            .build();
        let done = ResponseBuilder::new()
            .description("Done.")
            .content("application/json", content(member::<<C as Ask>::Answer>("ok")))
            .build();
        let about = about::<C>();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(C::NAME))
            .tag("commands")
            .summary(Some(about.split('.').next().unwrap_or_default()))
            .description(Some(about.clone()))
            .request_body(Some(body))
            .response("200", done)
            .security(SecurityRequirement::new("token", [""; 0]))
            .security(SecurityRequirement::new("cookie", [""; 0]))
            .security(SecurityRequirement::default());
        for (status, what) in REFUSALS {
            let refused = ResponseBuilder::new()
                .description(what)
                .content("application/json", content(member::<Refusal>("error")))
                .build();
            operation = operation.response(status, refused);
        }
        let path = PathItem::new(HttpMethod::Post, operation);
        let paths = std::mem::take(&mut self.paths);
        self.paths = paths.path(format!("/{}", C::NAME), path);
    }
}

/// The description from the type's own documentation.
fn about<T: PartialSchema>() -> String {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.description.unwrap_or_default(),
        _ => String::new(),
    }
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

/// `{name: …}`.
fn member<T: ToSchema>(name: &str) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .property(name, reference::<T>())
        .required(name);
    Schema::Object(object.build()).into()
}
