"""Why a browser cannot send its camera's picture, asked of the browser itself.

The camera is not opened for this: the browser is asked what it has and what it allows.
"""

import streamlit as st

TROUBLE = {
    "insecure": "The browser gives its camera only to pages on this machine or over https, and "
    "this page is neither.",
    "unsupported": "This browser cannot send video to a page.",
    "missing": "This browser finds no camera. Connect one and it is noticed here.",
    "refused": "This browser has been told not to give its camera to this page. Allow it in the "
    "address bar.",
}

# Looked at again whenever a camera is connected or a permission changes.
_JS = """
export default function({ setStateValue }) {
    let told = null, permission = null;
    const tell = trouble => { if (trouble !== told) setStateValue('trouble', told = trouble); };
    const look = async () => {
        if (!window.isSecureContext) return tell('insecure');
        if (!navigator.mediaDevices?.getUserMedia || !window.RTCPeerConnection)
            return tell('unsupported');
        const devices = await navigator.mediaDevices.enumerateDevices();
        if (!devices.some(device => device.kind === 'videoinput')) return tell('missing');
        tell(permission?.state === 'denied' ? 'refused' : '');
    };
    navigator.permissions?.query({ name: 'camera' }).then(
        answer => { permission = answer; permission.onchange = look; look(); },
        look,  // a browser that does not know this permission asks when the video starts
    ) ?? look();
    navigator.mediaDevices?.addEventListener('devicechange', look);
    return () => {
        navigator.mediaDevices?.removeEventListener('devicechange', look);
        if (permission) permission.onchange = null;
    };
}
"""
_check = st.components.v2.component("fercore.camera_check", js=_JS)


def camera_trouble() -> str:
    """A key of `TROUBLE`, or '' where nothing speaks against a camera, as far as is known yet."""
    return _check(key="camera-check", on_trouble_change=lambda: None).trouble or ""
